"""Strategies and documents shared by the tests of the mapping rules."""

from typing import Any

from hypothesis import strategies as st

from app.access.actor import Actor

ANA = Actor("user", 1, "Ana", level=2)

NAMES = ("id", "name", "items", "client", "0", "1", "when", "amount", "flag")

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=10**300, max_value=10**320),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.sampled_from(["1.5", "true", "não", "2024-01-15", "2024-01-15T10:30:00Z", "1705311000", ""]),
    st.datetimes().map(lambda moment: moment.isoformat()),
)
payloads = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=4), inner, max_size=5),
    ),
    max_leaves=20,
)
paths = st.lists(st.sampled_from((*NAMES, "*")), min_size=1, max_size=4).map(".".join)
formats = st.sampled_from(["Y-m-d H:i:s", "c", "r", "U", "B", "D, d \\d\\e M", "%d/%m/%Y", "%j"])
formats |= st.text(
    alphabet="dDjlNSwzWFmMntLoYyaABgGhHisuveIOPpTZcrUxX\\ -:", min_size=1, max_size=9
)


def _with_options(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(required, optional=optional)


rules = st.one_of(
    paths,
    _with_options({"type": st.just("direct"), "source": paths}, {"default": scalars}),
    _with_options(
        {"type": st.just("concat"), "sources": st.lists(paths, min_size=1, max_size=4)},
        {"separator": st.sampled_from([" ", "", ", "])},
    ),
    _with_options(
        {
            "type": st.just("map"),
            "source": paths,
            "map": st.dictionaries(st.text(max_size=3), scalars, min_size=1, max_size=4),
        },
        {"default": scalars},
    ),
    _with_options({"type": st.just("date"), "source": paths}, {"format": formats}),
    _with_options(
        {"type": st.just("number"), "source": paths},
        {"number_type": st.sampled_from(["int", "float"]), "default": st.integers()},
    ),
    _with_options({"type": st.just("boolean"), "source": paths}, {"default": st.booleans()}),
    _with_options(
        {
            "type": st.just("array"),
            "sources": st.lists(paths, min_size=1, max_size=4)
            | st.dictionaries(st.text(max_size=3), paths, min_size=1, max_size=4),
        },
        {},
    ),
    _with_options({"type": st.just("static"), "value": payloads}, {}),
)
documents = st.dictionaries(st.sampled_from([*NAMES, "a.b"]), rules, min_size=1, max_size=5)

# Documents near the grammar: right and wrong types of fields, names and values mixed.
fields = ["type", "source", "sources", "map", "format", "separator", "default", "value"]
kinds = ["direct", "concat", "map", "date", "number", "boolean", "array", "static", "eval"]
near_documents = st.dictionaries(
    st.text(max_size=4),
    st.dictionaries(st.sampled_from(fields), st.sampled_from(kinds) | payloads, max_size=5)
    | payloads,
    max_size=4,
)

"""From a payload to the shape that a system expects.

A compiled mapping is total: for every JSON payload it gives a JSON object, and refuses only what
is too much to read or to send. What is missing or cannot be read becomes the rule's default, else
null; nothing is guessed. The payload is never changed; unconverted parts of it are shared, not
copied.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.errors import Invalid
from app.mappings.rules.date_format import compile_format
from app.mappings.rules.grammar import MappingError, check
from app.mappings.rules.moments import read_moment
from app.mappings.rules.paths import Read, compile_path
from app.mappings.rules.values import to_boolean, to_float, to_int, to_map_keys, to_text
from app.mappings.rules.work import MOST_WORK, TooMuchWork, Work

DEFAULT_DATE_FORMAT = "Y-m-d H:i:s"

Convert = Callable[[object], object]


@dataclass(frozen=True, slots=True)
class Transform:
    """A compiled mapping; call it with a payload.

    Invalid as soon as it reads and writes more than anybody's payload needs (see `work`).
    """

    rules: tuple[tuple[str, Read], ...]

    def __call__(self, payload: object) -> dict[str, object]:
        work = Work()
        shaped: dict[str, object] = {}
        try:
            for target, rule in self.rules:
                shaped[target] = rule(payload, work)
        except TooMuchWork:
            most = f"lê e produz mais de {MOST_WORK // 1024**2} MiB com este evento"
            raise Invalid(f"Mapeamento: {target}: {most}", details={target: [most]}) from None
        return shaped


def apply(document: object, payload: object) -> dict[str, object]:
    """The payload in the document's shape; MappingError where the document is broken."""
    return compile_mapping(document)(payload)


def compile_mapping(document: object) -> Transform:
    """Check the document and make it ready for many payloads; MappingError if broken."""
    problems = check(document)
    if problems or not isinstance(document, dict):
        raise MappingError(problems)
    return Transform(tuple((target, _compile(rule)) for target, rule in document.items()))


def _compile(rule: Any) -> Read:
    return compile_path(rule) if isinstance(rule, str) else BUILDERS[rule["type"]](rule)


def _or_default(read: Read, default: object) -> Read:
    """Missing, null and unreadable are one case: the receiver gets the default."""

    def rule(payload: object, work: Work) -> object:
        value = read(payload, work)
        return default if value is None else value

    return rule


def _converted(convert: Convert, rule: dict[str, Any]) -> Read:
    source = compile_path(rule["source"])
    return _or_default(lambda payload, work: convert(source(payload, work)), rule.get("default"))


def _direct(rule: dict[str, Any]) -> Read:
    return _or_default(compile_path(rule["source"]), rule.get("default"))


def _concat(rule: dict[str, Any]) -> Read:
    sources = [compile_path(path) for path in rule["sources"]]
    separator = str(rule.get("separator", " "))

    def concat(payload: object, work: Work) -> str | None:
        values = [source(payload, work) for source in sources]
        if all(value is None for value in values):
            return None
        return separator.join(text for text in map(to_text, values) if text)

    return concat


def _map(rule: dict[str, Any]) -> Read:
    source, table = compile_path(rule["source"]), rule["map"]
    has_default, default = "default" in rule, rule.get("default")

    def translate(payload: object, work: Work) -> object:
        value = source(payload, work)
        for key in to_map_keys(value):
            if key in table:
                return table[key]
        return default if has_default else value

    return translate


def _date(rule: dict[str, Any]) -> Read:
    format_moment = compile_format(rule.get("format", DEFAULT_DATE_FORMAT))

    def convert(value: object) -> object:
        moment = read_moment(value)
        return None if moment is None else format_moment(moment)

    return _converted(convert, rule)


def _number(rule: dict[str, Any]) -> Read:
    return _converted(to_int if rule.get("number_type") == "int" else to_float, rule)


def _boolean(rule: dict[str, Any]) -> Read:
    return _converted(to_boolean, rule)


def _array(rule: dict[str, Any]) -> Read:
    sources = rule["sources"]
    if isinstance(sources, list):
        items = [compile_path(path) for path in sources]
        return lambda payload, work: [item(payload, work) for item in items]
    named = [(key, compile_path(path)) for key, path in sources.items()]
    return lambda payload, work: {key: item(payload, work) for key, item in named}


def _static(rule: dict[str, Any]) -> Read:
    value = rule["value"]
    return lambda _payload, _work: value


BUILDERS: dict[str, Callable[[dict[str, Any]], Read]] = {
    "direct": _direct,
    "concat": _concat,
    "map": _map,
    "date": _date,
    "number": _number,
    "boolean": _boolean,
    "array": _array,
    "static": _static,
}

"""From a payload to the shape that a system expects.

A compiled mapping is total: for every JSON payload it gives a JSON object, and refuses only a
result too large to send. What is missing or cannot be read becomes the rule's default, else null;
nothing is guessed. The payload is never changed; unconverted parts of it are shared, not copied.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.errors import Invalid
from app.mappings.rules.date_format import compile_format
from app.mappings.rules.grammar import MappingError, check
from app.mappings.rules.moments import read_moment
from app.mappings.rules.paths import lookup, parse_path
from app.mappings.rules.values import to_boolean, to_float, to_int, to_map_keys, to_text
from app.payloads import weight

# Characters and values of a result: one part of a payload may be named by many targets, and what
# is shared in memory is written out each time.
LARGEST_RESULT = 4 * 1024 * 1024
# Up to so many sources the size of a payload bounds that of its result well enough.
FEW_SOURCES = 16
DEFAULT_DATE_FORMAT = "Y-m-d H:i:s"

Rule = Callable[[object], object]


@dataclass(frozen=True, slots=True)
class Transform:
    """A compiled mapping; call it with a payload."""

    rules: tuple[tuple[str, Rule], ...]
    sources: int = 0

    def __call__(self, payload: object) -> dict[str, object]:
        if self.sources <= FEW_SOURCES:
            return {target: rule(payload) for target, rule in self.rules}
        return self._bounded(payload)

    def _bounded(self, payload: object) -> dict[str, object]:
        """As above, but Invalid as soon as the result is larger than anybody wants to send."""
        shaped: dict[str, object] = {}
        left = LARGEST_RESULT
        for target, rule in self.rules:
            shaped[target] = value = rule(payload)
            left -= weight(value, left)
            if left < 0:
                most = f"o resultado passa de {LARGEST_RESULT // 1024**2} MiB"
                raise Invalid(f"Mapeamento: {most}", details={target: [most]})
        return shaped


def apply(document: object, payload: object) -> dict[str, object]:
    """The payload in the document's shape; MappingError where the document is broken."""
    return compile_mapping(document)(payload)


def compile_mapping(document: object) -> Transform:
    """Check the document and make it ready for many payloads; MappingError if broken."""
    problems = check(document)
    if problems or not isinstance(document, dict):
        raise MappingError(problems)
    rules = tuple((target, _compile(rule)) for target, rule in document.items())
    return Transform(rules, sum(map(_sources, document.values())))


def _sources(rule: Any) -> int:
    """How many parts of a payload a rule names."""
    return len(rule.get("sources", "1")) if isinstance(rule, dict) else 1


def _compile(rule: Any) -> Rule:
    if isinstance(rule, str):
        return _source(rule)
    return BUILDERS[rule["type"]](rule)


def _source(path: str) -> Rule:
    segments = parse_path(path)
    return lambda payload: lookup(payload, segments)


def _or_default(read: Rule, default: object) -> Rule:
    """Missing, null and unreadable are one case: the receiver gets the default."""

    def rule(payload: object) -> object:
        value = read(payload)
        return default if value is None else value

    return rule


def _converted(convert: Rule, rule: dict[str, Any]) -> Rule:
    source = _source(rule["source"])
    return _or_default(lambda payload: convert(source(payload)), rule.get("default"))


def _direct(rule: dict[str, Any]) -> Rule:
    return _or_default(_source(rule["source"]), rule.get("default"))


def _concat(rule: dict[str, Any]) -> Rule:
    sources = [_source(path) for path in rule["sources"]]
    separator = rule.get("separator", " ")

    def concat(payload: object) -> str | None:
        values = [source(payload) for source in sources]
        if all(value is None for value in values):
            return None
        return str(separator).join(text for text in map(to_text, values) if text)

    return concat


def _map(rule: dict[str, Any]) -> Rule:
    source, table = _source(rule["source"]), rule["map"]
    has_default, default = "default" in rule, rule.get("default")

    def translate(payload: object) -> object:
        value = source(payload)
        for key in to_map_keys(value):
            if key in table:
                return table[key]
        return default if has_default else value

    return translate


def _date(rule: dict[str, Any]) -> Rule:
    format_moment = compile_format(rule.get("format", DEFAULT_DATE_FORMAT))

    def convert(value: object) -> object:
        moment = read_moment(value)
        return None if moment is None else format_moment(moment)

    return _converted(convert, rule)


def _number(rule: dict[str, Any]) -> Rule:
    return _converted(to_int if rule.get("number_type") == "int" else to_float, rule)


def _boolean(rule: dict[str, Any]) -> Rule:
    return _converted(to_boolean, rule)


def _array(rule: dict[str, Any]) -> Rule:
    sources = rule["sources"]
    if isinstance(sources, list):
        items = [_source(path) for path in sources]
        return lambda payload: [item(payload) for item in items]
    named = [(key, _source(path)) for key, path in sources.items()]
    return lambda payload: {key: item(payload) for key, item in named}


def _static(rule: dict[str, Any]) -> Rule:
    value = rule["value"]
    return lambda _payload: value


BUILDERS: dict[str, Callable[[dict[str, Any]], Rule]] = {
    "direct": _direct,
    "concat": _concat,
    "map": _map,
    "date": _date,
    "number": _number,
    "boolean": _boolean,
    "array": _array,
    "static": _static,
}

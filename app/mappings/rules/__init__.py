"""The pure part of the mappings: grammar, transformation, versions and differences."""

from app.mappings.rules.difference import Difference, compare
from app.mappings.rules.grammar import MappingError, Problem, below, by_field, check
from app.mappings.rules.pairs import check_pair
from app.mappings.rules.transform import Transform, apply, compile_mapping
from app.mappings.rules.versions import FIRST_VERSION, Version, parse_version

__all__ = [
    "FIRST_VERSION",
    "Difference",
    "MappingError",
    "Problem",
    "Transform",
    "Version",
    "apply",
    "below",
    "by_field",
    "check",
    "check_pair",
    "compare",
    "compile_mapping",
    "parse_version",
]

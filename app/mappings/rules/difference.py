"""What changed between two versions of a mapping, target by target."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Difference:
    """Targets added, removed and changed; a changed one holds its old and its new rule."""

    added: dict[str, object]
    removed: dict[str, object]
    changed: dict[str, tuple[object, object]]

    @property
    def is_empty(self) -> bool:
        """True where both versions transform alike."""
        return not (self.added or self.removed or self.changed)

    def as_data(self) -> dict[str, Any]:
        """The difference as JSON: added{}, removed{}, changed{target: {from, to}}."""
        changed = {key: {"from": old, "to": new} for key, (old, new) in self.changed.items()}
        return {"added": self.added, "removed": self.removed, "changed": changed}


def compare(old: Mapping[str, object], new: Mapping[str, object]) -> Difference:
    """Compare two mapping documents; order and the two ways to write `direct` do not count."""
    return Difference(
        added={key: rule for key, rule in new.items() if key not in old},
        removed={key: rule for key, rule in old.items() if key not in new},
        changed={
            key: (old[key], rule)
            for key, rule in new.items()
            if key in old and _canonical(old[key]) != _canonical(rule)
        },
    )


def _canonical(rule: object) -> str:
    """As text, because in Python 1, 1.0 and True are equal and in JSON they are not."""
    full = {"type": "direct", "source": rule} if isinstance(rule, str) else rule
    return json.dumps(full, sort_keys=True)

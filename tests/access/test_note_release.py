"""A release is told once in the audit trail, and again when another one follows."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from app.access.actions.release import note_release
from app.access.models import AuditEntry
from app.db import reading
from app.release import release

COMMIT = "1a2b3c4d5e6f7890"


def told() -> list[str]:
    with reading() as c:
        return [row.why for row in c.execute(select(AuditEntry.why).order_by(AuditEntry.id))]


@pytest.mark.usefixtures("app_context")
def test_each_change_is_told_once() -> None:
    assert [note_release(name) for name in ("1.0", "1.0", "1.1", "1.0")] == [
        True, False, True, True,
    ]  # fmt: skip
    assert told() == ["1.0", "1.1", "1.0"]


def test_the_commit_that_was_given() -> None:
    assert release(COMMIT).endswith(" (1a2b3c4d5e)")
    assert "(" not in release("not a commit")


@pytest.mark.parametrize("packed", [False, True])
def test_the_commit_of_a_working_copy(tmp_path: Path, packed: bool) -> None:
    git = tmp_path / ".git"
    (git / "refs/heads").mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    if packed:
        (git / "packed-refs").write_text(f"# pack\n{COMMIT} refs/heads/main\n")
    else:
        (git / "refs/heads/main").write_text(f"{COMMIT}\n")
    assert release(root=tmp_path).endswith(" (1a2b3c4d5e)")


def test_a_detached_one_and_none(tmp_path: Path) -> None:
    assert "(" not in release(root=tmp_path)
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/HEAD").write_text(COMMIT)
    assert release(root=tmp_path).endswith(" (1a2b3c4d5e)")

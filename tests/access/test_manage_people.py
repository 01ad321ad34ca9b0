"""Adding people and changing what they may do."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.access.actions import people
from app.access.actions.logins import authenticate, begin_session
from app.access.actor import SYSTEM
from app.access.models import AuditEntry, User
from app.access.queries import person_of, verify_chain
from app.config import Settings, SettingsError
from app.db import db
from app.errors import Conflict, Invalid, NotFound, Unauthenticated
from tests.access.cast import ADDRESS, PASSWORD, Cast, email

pytestmark = pytest.mark.usefixtures("app_context")
NEW = "outra senha bem longa"


@pytest.fixture
def cast(app: Flask) -> Cast:
    return Cast(app)


def _signed_in(cast: Cast, level: int) -> str:
    return begin_session(cast.person(level), 1, ADDRESS, "tests")


def test_create_works() -> None:
    user_id = people.create_user(SYSTEM, " Ana@Carinho.com.vc", "Ana", 1, PASSWORD)
    user = db.session.get_one(User, user_id)
    assert (user.email, user.level, user.active) == ("ana@carinho.com.vc", 1, True)
    assert PASSWORD not in user.password_hash
    entry = db.session.scalars(select(AuditEntry)).one()
    assert (entry.action, entry.target) == ("user.created", f"user:{user_id}")
    assert "argon2" not in str(entry.after_json)


def test_an_email_is_taken_once(cast: Cast) -> None:
    cast.person(1)
    with pytest.raises(Conflict):
        people.create_user(SYSTEM, email(1).upper(), "Outra Ana", 1, PASSWORD)
    assert verify_chain().entries == 0


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(Invalid) as refused:
        people.create_user(SYSTEM, "ana", " ", 4, "curta")
    assert set(refused.value.details) == {"email", "name", "level", "password"}


def test_a_new_password_ends_all_logins(cast: Cast) -> None:
    token = _signed_in(cast, 1)
    people.change_password(SYSTEM, cast.person(1).id, NEW)
    assert person_of(token) is None
    assert authenticate(email(1), NEW, ADDRESS).name == "Ana"
    with pytest.raises(Unauthenticated):
        authenticate(email(1), PASSWORD, ADDRESS)


def test_a_bad_password_is_refused(cast: Cast) -> None:
    with pytest.raises(Invalid):
        people.change_password(SYSTEM, cast.person(1).id, "ana@carinho.com.vc")


def test_a_new_level_ends_all_logins(cast: Cast) -> None:
    token = _signed_in(cast, 1)
    cast.person(3)
    people.set_level(SYSTEM, cast.person(1).id, 2, "promovida")
    assert person_of(token) is None
    assert authenticate(email(1), PASSWORD, ADDRESS).level == 2
    entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert entry is not None
    assert (entry.before, entry.after, entry.why) == ({"level": 1}, {"level": 2}, "promovida")


def test_a_disabled_person_is_out_at_once_and_can_come_back(cast: Cast) -> None:
    token = _signed_in(cast, 1)
    cast.person(3)
    people.disable(SYSTEM, cast.person(1).id, "saiu")
    assert person_of(token) is None
    with pytest.raises(Unauthenticated):
        authenticate(email(1), PASSWORD, ADDRESS)
    people.enable(SYSTEM, cast.person(1).id)
    assert authenticate(email(1), PASSWORD, ADDRESS).name == "Ana"


@pytest.mark.parametrize(
    "change", [lambda i: people.disable(SYSTEM, i), lambda i: people.set_level(SYSTEM, i, 2)]
)
def test_the_last_manager_stays(cast: Cast, change: Any) -> None:
    gil = cast.person(3)
    with pytest.raises(Conflict):
        change(gil.id)
    assert authenticate(email(3), PASSWORD, ADDRESS).level == 3


def test_nobody_is_not_found() -> None:
    for change in (
        lambda: people.change_password(SYSTEM, 99, NEW),
        lambda: people.set_level(SYSTEM, 99, 2),
        lambda: people.disable(SYSTEM, 99),
    ):
        with pytest.raises(NotFound):
            change()


def test_a_level_that_is_none_is_refused(cast: Cast) -> None:
    with pytest.raises(Invalid):
        people.set_level(SYSTEM, cast.person(1).id, 0)


def test_the_first_manager_is_made_once(settings: Settings) -> None:
    password = people.ensure_first_manager(settings)
    assert password is not None
    assert re.fullmatch(r"[\w-]{16}", password)
    assert authenticate(settings.admin_email, password, ADDRESS).level == 3
    assert people.ensure_first_manager(settings) is None


def test_a_given_first_password_is_used_and_not_shown(settings: Settings) -> None:
    given = settings.model_copy(update={"admin_password": NEW})
    assert people.ensure_first_manager(given) is None
    assert authenticate(settings.admin_email, NEW, ADDRESS).level == 3


def test_a_bad_first_manager_names_the_variables(settings: Settings) -> None:
    given = settings.model_copy(update={"admin_password": "curta", "admin_email": "gestao"})
    with pytest.raises(SettingsError, match=r"HUB_ADMIN_EMAIL.*HUB_ADMIN_PASSWORD"):
        people.ensure_first_manager(given)

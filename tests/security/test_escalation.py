"""Escalation: nobody makes a key that opens more than they can themselves."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.access.actions.api_keys import generate_api_key
from app.access.actor import SYSTEM
from app.access.rules import scopes
from app.access.rules.abilities import ABILITIES, MANAGEMENT
from tests.access.matrix import ROWS

JSON = {"Accept": "application/json"}


def _doors() -> list[tuple[str, str]]:
    """(ability, scope) of each door that keys enter."""
    words = [row.split() for row in ROWS]
    return [(row[2], row[3]) for row in words if len(row) > 3 and row[3] != "-"]


def test_the_scopes_of_managers_are_named_and_open_nothing_else() -> None:
    of_managers = {scope for ability, scope in _doors() if ABILITIES[ability].level == MANAGEMENT}
    of_others = {scope for ability, scope in _doors() if ABILITIES[ability].level < MANAGEMENT}
    assert of_managers == set(scopes.MANAGERS)
    assert of_managers & of_others == set()


@pytest.mark.parametrize("wanted", ["*", "sla:*", "sla:write", "events:read, sla:write"])
def test_a_developer_makes_no_key_of_a_manager(
    app: Flask, client: FlaskClient, login, wanted: str
) -> None:
    login(client, 2)
    form = {"name": "Site", "scopes": wanted}
    page = client.post("/chaves", data=form, headers={"Accept": "text/html"})
    assert page.status_code == 422
    assert "Só a Gestão dá a permissão" in page.text
    login(client, 3)
    assert client.post("/chaves", data=form, headers=JSON).status_code == 201


def test_a_developer_gets_no_managers_key_by_replacing_one(
    app: Flask, client: FlaskClient, login
) -> None:
    with app.app_context():
        kept = generate_api_key(SYSTEM, "Tudo", ("*",)).id
    login(client, 2)
    form = {"confirmed": "1", "why": "x", "days": "7"}
    assert client.post(f"/chaves/{kept}/trocar", data=form, headers=JSON).status_code == 422
    assert client.post(f"/chaves/{kept}/revogar", data=form, headers=JSON).status_code == 200


def test_no_key_enters_where_people_and_keys_are_made() -> None:
    for row in ROWS:
        if any(place in row for place in (" /pessoas", " /chaves", " /perfil")):
            assert row.split()[3] == "-", row


def test_nobody_raises_their_own_level(app: Flask, client: FlaskClient, login) -> None:
    known = login(client, 2)
    for form in ({"level": "3", "confirmed": "1", "reason": "x"}, {"wanted": "3"}):
        assert client.post(f"/pessoas/{known.id}/nivel", data=form).status_code == 403

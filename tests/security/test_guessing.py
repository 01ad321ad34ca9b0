"""Guessing: passwords, codes and keys; nothing tells a right guess half way."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import clock
from app.access.actions import logins
from app.access.rules import key_format, passwords
from app.access.rules.lockout import ACCOUNT, ADDRESS, FREE, LONGEST, delay
from app.errors import TooMany, Unauthenticated
from tests.access.cast import PASSWORD, Cast, email

UNKNOWN = "ninguem@carinho.com.vc"


def _guess(address: str, mail: str, password: str = "errada demais 123") -> Exception:
    try:
        logins.authenticate(mail, password, address)
    except (Unauthenticated, TooMany) as refused:
        return refused
    raise AssertionError("that was no guess")


def test_an_unknown_person_and_a_wrong_password_are_told_alike(
    app: Flask, app_context: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Same words, same work: one slow hash each, for unknown, disabled and known people."""
    Cast(app).person(1)
    hashed: list[str] = []
    real = passwords.matches
    monkeypatch.setattr(
        passwords, "matches", lambda kept, given: hashed.append(kept) or real(kept, given)
    )
    known, unknown = _guess("10.0.0.1", email(1)), _guess("10.0.0.2", UNKNOWN)
    assert str(known) == str(unknown)
    assert type(known) is type(unknown) is Unauthenticated
    assert len(hashed) == 2
    costs = {kept.split("$")[3] for kept in hashed}
    assert len(costs) == 1


def test_unknown_people_are_slowed_down_like_known_ones(app: Flask, app_context: None) -> None:
    Cast(app).person(1)
    for number, mail in enumerate((email(1), UNKNOWN)):
        answers = [_guess(f"10.1.{number}.{n}", mail) for n in range(FREE[ACCOUNT] + 2)]
        kinds = [type(answer) for answer in answers]
        assert kinds == [Unauthenticated] * (FREE[ACCOUNT] + 1) + [TooMany]


def test_an_address_that_tries_many_names_is_slowed_down(app: Flask, app_context: None) -> None:
    answers = [_guess("10.2.0.1", f"p{n}@carinho.com.vc") for n in range(FREE[ADDRESS] + 2)]
    assert type(answers[-1]) is TooMany
    assert all(type(answer) is Unauthenticated for answer in answers[:-1])


def test_the_right_password_does_not_open_while_waiting(app: Flask, app_context: None) -> None:
    Cast(app).person(1)
    for n in range(FREE[ACCOUNT] + 1):
        _guess(f"10.3.0.{n}", email(1))
    assert type(_guess("10.3.1.1", email(1), PASSWORD)) is TooMany


@pytest.mark.parametrize("kind", [ACCOUNT, ADDRESS])
def test_the_delay_grows(kind: str) -> None:
    delays = [delay(kind, n) for n in range(FREE[kind] + 15)]
    assert delays == sorted(delays)
    assert delays[FREE[kind] + 1] == 2 * clock.SECOND
    assert delays[-1] == LONGEST


def test_another_spelling_is_the_same_account(app: Flask, app_context: None) -> None:
    Cast(app).person(1)
    spellings = [email(1), email(1).upper(), f" {email(1)} ", email(1).title()]
    answers = [
        _guess(f"10.4.0.{n}", spellings[n % len(spellings)]) for n in range(FREE[ACCOUNT] + 2)
    ]
    assert type(answers[-1]) is TooMany


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Client-IP"])
def test_a_header_makes_no_new_address(app: Flask, client: FlaskClient, header: str) -> None:
    page = client.get("/login", headers={"Accept": "text/html"}).text
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    statuses = []
    for n in range(FREE[ADDRESS] + 3):
        form = {"csrf_token": token, "email": f"q{n}@carinho.com.vc", "password": "errada 1234"}
        place = {header: f"203.0.113.{n}"}
        statuses.append(client.post("/login", data=form, headers=place).status_code)
    assert statuses[-1] == 429


def test_a_key_has_a_prefix_and_a_checksum() -> None:
    keys = {key_format.new_key() for _ in range(200)}
    assert len(keys) == 200
    for key in keys:
        assert key.startswith(key_format.START)
        assert key_format.well_formed(key)
        swapped = key[:10] + key[11] + key[10] + key[12:]
        assert swapped == key or not key_format.well_formed(swapped)


def test_every_wrong_key_gets_the_same_answer(
    seeded_app: Flask, client: FlaskClient, api_key
) -> None:
    right = api_key("events:read")
    far = {"REMOTE_ADDR": "203.0.113.5"}
    wrong = [right[:-1], right.upper(), right + "x", key_format.new_key(), "x", "carinho_", "é",
             right.replace("_", "-"), "Bearer " + right, "a" * 10_000]  # fmt: skip
    answers = {
        client.get("/api/events", headers={"X-API-Key": key}, environ_overrides=far).data
        for key in wrong
    }
    assert len(answers) == 1

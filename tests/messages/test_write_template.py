"""Templates: placeholders checked at save, filled in without surprises, old versions kept."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from app import clock
from app.access.actor import SYSTEM
from app.db import insert_missing, reading, transaction
from app.errors import Invalid, NotFound
from app.messages.actions.cleanup import cleanup_ticks
from app.messages.actions.texts import opt_in, opt_out_by_hand, save_template, set_quiet_hours
from app.messages.models import WhatsAppMessage
from app.messages.queries import texts
from app.messages.rules.templates import KINDS, Words, fill, first_name, problems
from app.messages.seed import TEMPLATES, seed


@pytest.fixture
def seeded(app: Flask, app_context: None) -> None:
    seed(now=clock.now())


@pytest.mark.parametrize(("key", "channel"), list(TEMPLATES))
def test_what_we_start_with_may_be_saved_and_previewed(key: str, channel: str) -> None:
    words = TEMPLATES[key, channel]
    assert problems(key, channel, words) == {}
    preview = fill(words, KINDS[key].samples)
    assert "{" not in preview.text + preview.html + preview.subject


def test_all_texts_there_are_have_a_start() -> None:
    wanted = {(key, channel) for key, kind in KINDS.items() for channel in kind.channels}
    assert wanted == set(TEMPLATES)


@pytest.mark.parametrize(
    ("key", "channel", "words", "field"),
    [
        ("welcome", "whatsapp", Words("", ""), "text"),
        ("welcome", "email", Words("", "Olá"), "subject"),
        ("welcome", "email", Words("a\nBcc: x", "Olá"), "subject"),
        ("welcome", "whatsapp", Words("", "Olá, {apelido}"), "text"),
        ("welcome", "whatsapp", Words("", "Olá, {nome"), "text"),
        ("welcome", "email", Words("x", "y", "<p>{link}</p>"), "html"),
        ("welcome", "whatsapp", Words("", "a" * 5_000), "text"),
        ("unknown", "whatsapp", Words("", "Olá"), "key"),
        ("auto_reply", "email", Words("x", "Olá"), "key"),
    ],
)
def test_refused(key: str, channel: str, words: Words, field: str) -> None:
    assert list(problems(key, channel, words)) == [field]


def test_saving_makes_a_new_version(seeded: None) -> None:
    words = Words("", "Oi, {nome}!")
    assert save_template("auto_reply", "whatsapp", words, by=SYSTEM, now=1) == 2
    with reading() as c:
        row = texts.newest(c, "auto_reply", "whatsapp")
        assert (row.version, texts.words_of(row)) == (2, words)
        assert len(texts.in_use(c)) == len(TEMPLATES)
    seed(now=2)
    with reading() as c:
        assert texts.newest(c, "auto_reply", "whatsapp").version == 2
    with pytest.raises(Invalid):
        save_template("auto_reply", "whatsapp", Words("", "{x}"), by=SYSTEM, now=1)


def test_values_cannot_break_out() -> None:
    words = Words("Oi {nome}", "Oi {nome}", "<p>{nome}</p>")
    made = fill(words, {"nome": "<b>\r\nBcc: {empresa}"})
    assert made.html == "<p>&lt;b&gt; Bcc: {empresa}</p>"
    assert made.subject == made.text == "Oi <b> Bcc: {empresa}"


@given(st.text(), st.text())
def test_any_text_can_be_filled(text: str, value: str) -> None:
    made = fill(Words(text, text, text), {"nome": value})
    assert "\n" not in made.subject


@pytest.mark.parametrize(
    ("name", "called"),
    [("HELENA souza", "Helena"), ("", "tudo bem"), (None, "tudo bem"), ("5511987", "tudo bem")],
)
def test_first_name(name: object, called: str) -> None:
    assert first_name(name) == called


def test_opt_out_and_in(seeded: None) -> None:
    assert opt_out_by_hand("(11) 8765-4321", by=SYSTEM, now=1) == "5511987654321"
    with reading() as c:
        assert texts.opted_out(c, "5511987654321")
    opt_in("11987654321", by=SYSTEM)
    with reading() as c:
        assert not texts.opted_out(c, "5511987654321")
    with pytest.raises(NotFound):
        opt_in("11987654321", by=SYSTEM)
    with pytest.raises(Invalid):
        opt_out_by_hand("nobody", by=SYSTEM, now=1)


@pytest.mark.parametrize("times", [("24:00", "08:00"), ("21:00", "8:00"), ("", "")])
def test_quiet_hours_are_times(seeded: None, times: tuple[str, str]) -> None:
    with pytest.raises(Invalid):
        set_quiet_hours(*times, by=SYSTEM)


URL = "/api/message-templates"
DRAFT = {"key": "auto_reply", "channel": "whatsapp", "text": "Oi, {nome}!"}


def test_the_door_shows_previews_and_saves(
    seeded: None, client: FlaskClient, api_key: Callable[..., str]
) -> None:
    headers = {"X-API-Key": api_key("messages:*")}
    listed = client.get(URL, headers=headers).get_json()
    assert len(listed["data"]) == len(TEMPLATES)
    assert listed["quiet_hours"] == {"starts": "21:00", "ends": "08:00"}
    made = client.post(f"{URL}/preview", json=DRAFT, headers=headers).get_json()
    assert made["data"]["text"] == "Oi, Helena!"
    saved = client.post(URL, json=DRAFT, headers=headers)
    assert (saved.status_code, saved.get_json()["data"]["version"]) == (201, 2)
    wrong = client.post(URL, json={**DRAFT, "text": "{apelido}"}, headers=headers)
    assert (wrong.status_code, list(wrong.get_json()["details"])) == (422, ["text"])
    hours = client.put(
        f"{URL}/quiet-hours", json={"starts": "22:00", "ends": "07:00"}, headers=headers
    )
    assert hours.status_code == 200
    phone = client.put(f"{URL}/opt-outs/11987654321", headers=headers).get_json()
    assert phone["data"]["phone"] == "5511987654321"
    assert client.delete(f"{URL}/opt-outs/11987654321", headers=headers).status_code == 200


def test_the_door_refuses(seeded: None, client: FlaskClient, api_key: Callable[..., str]) -> None:
    assert client.get(URL).status_code == 401
    other = {"X-API-Key": api_key("events:*")}
    assert client.post(URL, json=DRAFT, headers=other).status_code == 403


def test_ticks_of_strangers_are_forgotten(seeded: None) -> None:
    now = clock.now()
    row = {"zaap_id": "", "phone": "", "error": "", "created_at": now - 3 * clock.DAY}
    with transaction() as tx:
        insert_missing(tx.connection, WhatsAppMessage, [{**row, "message_id": "M1"}])
    assert (cleanup_ticks(now), cleanup_ticks(now)) == (1, 0)

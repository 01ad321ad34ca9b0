"""The macros of templates/ui*.html say what the house rules ask for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, render_template_string

from app import config, templating, web

ROOT = Path(__file__).parents[2]
IMPORTS = (
    '{% import "ui.html" as ui %}{% import "ui_table.html" as list %}'
    '{% import "ui_form.html" as form %}'
)


@pytest.fixture
def live_poll() -> str:
    return "5"


@pytest.fixture
def page(tmp_path: Path, live_poll: str) -> Iterator[Flask]:
    """An application with templates but without database; one page, one person of level 1."""
    flask = Flask("look", template_folder=ROOT / "templates", static_folder=ROOT / "static")
    flask.secret_key = "only for this test"
    flask.extensions["settings"] = config.load(
        {"HUB_DATA_DIR": str(tmp_path), "LIVE_POLL": live_poll, "HUB_SECRET_KEY": "k" * 40}
    )
    web.init_app(flask)
    templating.init_app(flask)
    flask.jinja_env.globals.update(can=lambda ability: ability != "purge")
    flask.add_url_rule("/events", "events.index", lambda: "")
    with flask.test_request_context("/events?system=crm&after=9&sort=age"):
        yield flask


def say(source: str) -> str:
    return " ".join(render_template_string(IMPORTS + source).split())


@pytest.mark.parametrize(
    ("state", "shape", "word"),
    [
        ("normal", "shape-ok", "Normal"),
        ("alert", "shape-warn", "Alerta"),
        ("critical", "shape-bad", "Crítico"),
        ("breaker.open", "shape-bad", "Aberto (bloqueando envios)"),
        ("breaker.half_open", "shape-warn", "Testando"),
        ("never heard of", "shape-off", "never heard of"),
    ],
)
def test_badge_has_shape_and_word(page: Flask, state: str, shape: str, word: str) -> None:
    badge = say(f"{{{{ ui.badge('{state}') }}}}")
    assert f"#{shape}" in badge
    assert word in badge


def test_button_posts_with_a_token(page: Flask) -> None:
    button = say("{{ ui.button('Arquivar', '/x', {'id': 7}) }}")
    assert 'method="post" action="/x"' in button
    assert 'name="csrf_token"' in button
    assert 'name="id" value="7"' in button
    assert "hx-" not in button


def test_button_with_target_is_sent_once(page: Flask) -> None:
    button = say("{{ ui.button('Arquivar', '/x', target='closest tr') }}")
    assert 'hx-post="/x" hx-target="closest tr"' in button
    assert 'hx-sync="this:drop" hx-disable="find button"' in button


def test_forbidden_button_says_why_and_posts_nothing(page: Flask) -> None:
    button = say("{{ ui.button('Apagar', '/x', ability='purge', reason='Só o nível 3.') }}")
    assert 'aria-disabled="true"' in button
    assert "Só o nível 3." in button
    assert "<form" not in button


def test_confirmation_names_the_verb_and_starts_on_cancel(page: Flask) -> None:
    source = "{% call ui.confirm_button('a', 'Rearmar', '/x', 'Rearmar?') %}Efeito.{% endcall %}"
    form = say(source)
    assert 'data-dialog="a-ask"' in form
    assert '<dialog id="a-ask"' in form
    assert "data-close autofocus>Cancelar" in form
    assert 'name="confirmed" value="1" >Rearmar</button>' in form
    assert "Efeito." in form


def test_sort_link_turns_round_and_drops_the_cursor(page: Flask) -> None:
    heading = say("{{ list.th('Idade', 'age', 'age') }}")
    assert 'aria-sort="ascending"' in heading
    assert "sort=-age" in heading
    assert "system=crm" in heading
    assert "after" not in heading


@pytest.mark.parametrize(("count", "text"), [(9_999, "9.999"), (10_001, "10.000+")])
def test_totals_are_capped(page: Flask, count: int, text: str) -> None:
    assert say(f"{{{{ ui.total({count}) }}}}") == text


def test_curl_holds_no_key_and_keeps_quotes(page: Flask) -> None:
    button = say("{{ ui.copy_curl('POST', '/api/events', '{\"a\": \"d\\'água\"}') }}")
    assert "X-API-Key: $HUB_KEY" in button
    assert "d&#39;\\&#39;&#39;água" in button


def test_text_is_escaped(page: Flask) -> None:
    assert "<b>" not in say("{{ ui.kv([('Nome', '<b>')]) }}{{ ui.code('<b>', 'x', 'c') }}")


def test_live_region_polls_and_morphs(page: Flask) -> None:
    region = say("{% call ui.live('/events', 'live') %}x{% endcall %}")
    assert 'hx-get="/events" hx-swap="innerMorph" hx-sync="this:drop"' in region
    assert 'hx-trigger="refresh, every 5s"' in region


@pytest.mark.parametrize("live_poll", ["off"])
def test_live_region_rests_when_switched_off(page: Flask) -> None:
    assert 'hx-trigger="refresh">' in say("{% call ui.live('/e', 'live') %}x{% endcall %}")


def test_wrong_field_is_tied_to_its_error(page: Flask) -> None:
    html = say(
        "{{ form.error_summary({'email': 'Falta'}) }}{{ form.field('email', 'E', error='Falta') }}"
    )
    assert '<a href="#f-email">Falta</a>' in html
    assert 'aria-invalid="true" aria-describedby="email-error"' in html


def test_navigation_lists_only_what_exists(page: Flask) -> None:
    nav = say('{% import "_nav.html" as nav with context %}{{ nav.entries(nav.main + nav.more) }}')
    assert "Eventos" in nav
    assert "Incidentes" not in nav
    assert 'aria-current="page"' in nav

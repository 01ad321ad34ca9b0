"""Many dead letters at once: selection, whole filter, the page of the bulk, its end."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from app import clock
from app.db import transaction
from app.deliveries.actions import bulk
from app.deliveries.models import Bulk, DeadLetter
from tests.deliveries import letters
from tests.deliveries.hub import Hub
from tests.pages import BROWSER, HTMX, get, text_of, token_less


@pytest.fixture
def ana(hub: Hub, client: FlaskClient, login: Callable[..., Any]) -> FlaskClient:
    login(client, 1)
    return client


def states() -> list[str]:
    return [row.state for row in letters.rows(DeadLetter)]


def whole(**more: str) -> dict[str, str]:
    return {"scope": "filter", "bound": str(clock.now() + 1), "confirmed": "1", **more}


def test_selection_is_done_at_once(ana: FlaskClient) -> None:
    ids = letters.die(count=3)
    form = {"scope": "page", "ids": [str(ids[0]), str(ids[2])], "confirmed": "1"}
    answer = ana.post("/dlq/retry", data=form, headers=BROWSER)
    assert answer.status_code == 303
    assert states() == ["retrying", "open", "retrying"]
    assert "2 mensagens saem de novo." in get(ana, "/dlq")


def test_selection_tells_what_had_changed(ana: FlaskClient) -> None:
    ids = letters.die(count=2)
    ana.post(f"/dlq/{ids[0]}/archive", headers=HTMX)
    form = {"scope": "page", "ids": [str(each) for each in ids], "confirmed": "1"}
    ana.post("/dlq/archive", data=form, headers=BROWSER)
    said = text_of(get(ana, "/dlq"))
    assert "1 mensagem arquivada." in said
    assert "1 ficou como estava" in said


@pytest.mark.parametrize("field", ["from", "to"])
@pytest.mark.parametrize("moment", [9 * 10**18, 10**30, -1, True, 1e17, "9999-12-31"])
def test_a_bulk_up_to_no_moment_is_refused(ana: FlaskClient, field: str, moment: Any) -> None:
    letters.die()
    answer = ana.post("/api/dlq/archive-all", json={field: moment})
    assert (answer.status_code, list(answer.get_json()["details"])) == (422, [field])
    assert letters.rows(Bulk) == []


@pytest.mark.parametrize("moments", [{"to": 9 * 10**18}, {"from": -(2**63), "to": 2**63 - 1}])
def test_a_bulk_stored_up_to_no_moment_is_shown_and_done(
    ana: FlaskClient, hub: Hub, moments: dict[str, int]
) -> None:
    letters.die(count=2)
    bulk_id = ana.post("/api/dlq/archive-all", json={"system": "crm"}).get_json()["bulk_id"]
    with transaction() as tx:
        stored = json.dumps({"system": "crm", **moments})
        tx.connection.execute(update(Bulk).values(filter=stored))
    page = f"/dlq/lotes/{bulk_id}"
    assert "0 de 2" in text_of(get(ana, page))
    assert ana.get(page).get_json()["data"]["filter"]["to"] == moments["to"]
    assert ana.get("/dlq", headers=BROWSER).status_code == 200
    bulk.run_slice(5)
    assert states() == ["archived", "archived"]


@pytest.mark.parametrize("deed", ["retry", "archive"])
def test_without_javascript_it_asks_first(ana: FlaskClient, deed: str) -> None:
    ids = letters.die(count=2)
    form = {"scope": "page", "ids": [str(each) for each in ids]}
    page = ana.post(f"/dlq/{deed}", data=form, headers=BROWSER)
    assert "2 mensagens?" in page.text
    for each in ids:
        assert f'name="ids" value="{each}"' in page.text
    assert states() == ["open", "open"]


def test_nothing_ticked_is_said(ana: FlaskClient) -> None:
    letters.die()
    assert ana.post("/dlq/retry", data={"scope": "page"}, headers=BROWSER).status_code == 303
    assert "Nenhuma mensagem selecionada." in get(ana, "/dlq")


@pytest.mark.parametrize("ids", ["x", "1e3", "-1", "9" * 30])
def test_what_is_no_number_is_refused(ana: FlaskClient, ids: str) -> None:
    form = {"scope": "page", "ids": ids, "confirmed": "1"}
    assert ana.post("/dlq/retry", data=form, headers=BROWSER).status_code == 422


def test_whole_filter_goes_to_a_page_of_its_own(ana: FlaskClient) -> None:
    letters.die(count=3)
    answer = ana.post("/dlq/retry", data=whole(system="crm"), headers=BROWSER)
    (row,) = letters.rows(Bulk)
    assert (answer.status_code, answer.location) == (303, f"/dlq/lotes/{row.id}")
    assert "0 de 3" in text_of(get(ana, answer.location))
    bulk.run_slice(5)
    said = text_of(get(ana, answer.location))
    assert "3 de 3" in said
    assert "Concluído" in said
    assert set(states()) == {"retrying"}


def test_question_counts_the_whole_filter(ana: FlaskClient) -> None:
    letters.die(count=3)
    form = {"scope": "filter", "system": "crm"}
    page = ana.post("/dlq/retry", data=form, headers=BROWSER).text
    assert "Reprocessar 3 mensagens?" in page
    assert 'name="system" value="crm"' in page


def test_what_died_after_the_page_was_seen_stays(ana: FlaskClient) -> None:
    letters.die()
    ana.post("/dlq/retry", data=whole(bound="1"), headers=BROWSER)
    assert letters.rows(Bulk) == []
    assert "Nada a fazer" in get(ana, "/dlq")


def test_bulk_can_be_cancelled(ana: FlaskClient) -> None:
    letters.die(count=2)
    to = ana.post("/dlq/archive", data=whole(), headers=BROWSER).location
    assert ana.post(f"{to}/cancel", headers=BROWSER).status_code == 303
    assert "Cancelado" in text_of(get(ana, to))
    bulk.run_slice(5)
    assert states() == ["open", "open"]


def test_bulk_as_json_and_as_part(ana: FlaskClient) -> None:
    letters.die()
    to = ana.post("/dlq/archive", data=whole(), headers=BROWSER).location
    assert ana.get(to, headers={"Accept": "*/*"}).json["data"]["total"] == 1
    assert "<html" not in ana.get(to, headers=HTMX).text


def test_no_bulk_without_the_form_token(ana: FlaskClient) -> None:
    letters.die()
    token_less(ana)
    assert ana.post("/dlq/retry", data=whole(), headers=BROWSER).status_code == 403
    assert letters.rows(Bulk) == []


def test_unknown_bulk_is_404(ana: FlaskClient) -> None:
    assert ana.get("/dlq/lotes/99", headers=BROWSER).status_code == 404

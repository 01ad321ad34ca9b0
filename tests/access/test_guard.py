"""Who gets through the doors' guard, and how the others are sent away."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from app import clock
from app.access.actions.api_keys import generate_api_key, revoke_api_key
from app.access.actor import SYSTEM
from app.access.guards import by, can, require
from app.access.models import ApiKey
from app.access.rules import key_format
from app.db import transaction

HTML = {"Accept": "text/html"}
FAR = {"REMOTE_ADDR": "203.0.113.5"}
_STEM = "carinho_" + "0" * 40
# Well formed, and nobody's.
UNKNOWN = f"{_STEM}_{key_format._checksum(_STEM)}"


@pytest.fixture(autouse=True)
def doors(app: Flask) -> None:
    """Three doors: for keys and people, for people alone, for trusted networks too."""

    def show() -> dict[str, object]:
        return {"kind": by().kind, "name": by().name, "can": can("dlq.delete")}

    def door(path: str, guard) -> None:
        app.add_url_rule(path, path, guard(show), methods=["GET", "POST"])

    door("/t/keys", require("dlq.retry", scope="dlq:retry"))
    door("/t/people", require("dlq.delete"))
    door("/t/network", require("breakers.reset", scope="breakers:reset", network=True))


def _key(text: str) -> dict[str, str]:
    return {"X-API-Key": text}


# Keys


def test_a_key_with_the_scope_works(client: FlaskClient, api_key) -> None:
    for scope in ("dlq:retry", "dlq:*", "*"):
        response = client.post("/t/keys", headers=_key(api_key(scope)), environ_base=FAR)
        assert (response.status_code, response.json["kind"]) == (200, "key")


def test_can_follows_the_scopes_of_a_key(client: FlaskClient, api_key) -> None:
    assert client.get("/t/keys", headers=_key(api_key("dlq:*"))).json["can"] is True
    assert client.get("/t/keys", headers=_key(api_key("dlq:retry"))).json["can"] is False


def test_no_key_is_asked_for(client: FlaskClient) -> None:
    for headers in ({}, {"X-API-Key": ""}):
        response = client.get("/t/keys", headers=headers)
        assert (response.status_code, response.json["error"]) == (401, "API key is required")


@pytest.mark.parametrize("text", ["x", "carinho_", UNKNOWN, "ção", "a" * 5000])
def test_a_wrong_key_is_refused(client: FlaskClient, text: str) -> None:
    response = client.get("/t/network", headers=_key(text))
    assert (response.status_code, response.json["error"]) == (401, "Invalid API key")


@pytest.mark.parametrize("path", ["/t/keys", "/t/people", "/t/network"])
def test_a_key_without_the_scope_is_refused(client: FlaskClient, api_key, path: str) -> None:
    response = client.get(path, headers=_key(api_key("events:*")))
    assert (response.status_code, response.json["error"]) == (403, "Insufficient permissions")


def test_no_key_enters_where_no_scope_is_named(client: FlaskClient, api_key) -> None:
    assert client.get("/t/people", headers=_key(api_key("*"))).status_code == 403


def test_a_revoked_key_is_dead_at_once(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        made = generate_api_key(SYSTEM, "Sistema X")
        assert client.get("/t/keys", headers=_key(made.key)).status_code == 200
        revoke_api_key(SYSTEM, made.id)
    assert client.get("/t/keys", headers=_key(made.key)).status_code == 401


def test_an_expired_key_is_dead(app: Flask, client: FlaskClient, api_key) -> None:
    key = api_key()
    with app.app_context(), transaction() as tx:
        tx.connection.execute(update(ApiKey).values(expires_at=clock.now()))
    assert client.get("/t/keys", headers=_key(key)).status_code == 401


# People


@pytest.mark.parametrize(
    ("level", "path", "status"),
    [(1, "/t/keys", 200), (1, "/t/people", 403), (2, "/t/people", 200), (3, "/t/people", 200)],
)
def test_people_enter_by_level(
    client: FlaskClient, login, level: int, path: str, status: int
) -> None:
    login(client, level)
    response = client.post(path)
    assert response.status_code == status
    if status == 403:
        assert "Peça a Desenvolvimento (dev@carinho.com.vc)" in response.json["error"]


def test_people_need_the_form_token(client: FlaskClient, login) -> None:
    login(client, 3)
    token = client.environ_base.pop("HTTP_X_CSRFTOKEN")
    assert client.get("/t/people").status_code == 200
    assert client.post("/t/people").status_code == 403
    assert client.post("/t/people", headers={"X-CSRFToken": token + "x"}).status_code == 403
    assert client.post("/t/people", data={"csrf_token": token}).status_code == 200


def test_a_person_on_a_trusted_network_stays_a_person(client: FlaskClient, login) -> None:
    login(client, 1)
    assert client.get("/t/network").json["kind"] == "user"


def test_a_key_speaks_louder_than_a_session(client: FlaskClient, login, api_key) -> None:
    login(client, 3)
    assert client.get("/t/keys", headers=_key(api_key())).json["kind"] == "key"


# Trusted networks


def test_loopback_needs_no_key(client: FlaskClient) -> None:
    assert client.post("/t/network").json == {"kind": "network", "name": "127.0.0.1", "can": False}
    response = client.get("/t/network", environ_base={"REMOTE_ADDR": "::1"})
    assert response.json["kind"] == "network"


class TestTrusted:
    """With HUB_TRUSTED_NETWORKS."""

    @pytest.fixture
    def environ(self) -> dict[str, str]:
        return {"HUB_TRUSTED_NETWORKS": "10.1.0.0/16"}

    def test_the_network_needs_no_key(self, client: FlaskClient) -> None:
        for address, status in (("10.1.2.3", 200), ("10.2.0.1", 401), ("::ffff:10.2.0.1", 401)):
            response = client.get("/t/network", environ_base={"REMOTE_ADDR": address})
            assert response.status_code == status


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
        {"X-Forwarded-For": "203.0.113.5"},
    ],
)
def test_behind_an_unknown_proxy_nobody_is_near(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    assert client.get("/t/network", headers=headers).status_code == 401


def test_from_afar_a_key_is_needed(client: FlaskClient) -> None:
    assert client.get("/t/network", environ_base=FAR).status_code == 401


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.test"}]
)
def test_no_other_site_acts_through_a_near_browser(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    assert client.post("/t/network", headers=headers).status_code == 403


# Being sent away


@pytest.mark.parametrize("path", ["/t/people?page=2&x=%C3%A7", "/t/network?page=2&x=%C3%A7"])
def test_a_browser_is_sent_to_the_login_page(client: FlaskClient, path: str) -> None:
    response = client.get(path, headers=HTML)
    assert response.status_code == 303
    to = response.headers["Location"]
    assert to.startswith("/login?next=%2Ft%2F")
    page = client.get(to, headers=HTML).get_data(as_text=True)
    assert "page=2&amp;x=" in page


def test_a_form_comes_back_to_its_page(client: FlaskClient) -> None:
    headers = {**HTML, "Referer": "http://localhost/dlq?page=2"}
    response = client.post("/t/people", headers=headers)
    assert response.status_code == 303
    assert response.headers["Location"] == "/login?next=%2Fdlq%3Fpage%3D2"


@pytest.mark.parametrize(
    ("method", "kind", "redirect"),
    [("POST", "partial", True), ("GET", "partial", False), ("GET", "full", True)],
)
def test_htmx_is_told_and_pollers_are_left_alone(
    client: FlaskClient, method: str, kind: str, redirect: bool
) -> None:
    headers = {
        "HX-Request": "true",
        "HX-Request-Type": kind,
        "HX-Current-URL": "http://localhost/dlq?page=2",
    }
    response = client.open("/t/people", method=method, headers=headers)
    assert response.status_code == 401
    expected = "/login?next=%2Fdlq%3Fpage%3D2" if redirect else None
    assert response.headers.get("HX-Redirect") == expected


# Declaring guards


def test_a_guard_must_name_a_known_ability() -> None:
    with pytest.raises(LookupError):
        require("dlq.explode")


def test_every_route_of_access_is_decided(app: Flask) -> None:
    for name, view in app.view_functions.items():
        if name.startswith("access."):
            assert hasattr(view, "guard"), name

"""The systems and default endpoints at the first start and at the ones after."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select, update

from app import config
from app.clock import DAY
from app.config import SYSTEMS
from app.db import reading, transaction
from app.secrets import unseal
from app.systems.models import Endpoint, System
from app.systems.queries import snapshot
from app.systems.queries.snapshot import KnownSystem, Target
from app.systems.rules.defaults import KNOWN
from app.systems.seed import seed

NOW = 1_800_000_000_000
V1 = "/api/v1/webhooks/events"
DEFAULTS = {
    "crm": "https://crm.carinho.com.vc" + V1,
    "operacao": "https://operacao.carinho.com.vc" + V1,
    "cuidadores": "https://cuidadores.carinho.com.vc" + V1,
    "atendimento": "https://atendimento.carinho.com.vc" + V1,
    "marketing": "https://marketing.carinho.com.vc" + V1,
    "financeiro": "https://financeiro.carinho.com.vc/api/webhooks/events",
}


def start(now: int = NOW, **environ: str) -> None:
    """A start of the hub with this environment."""
    seed(config.load(environ), now=now)


def known(name: str) -> KnownSystem:
    with reading() as connection:
        return snapshot.system(connection, name)


def endpoints() -> dict[int, Target]:
    with reading() as connection:
        return dict(snapshot.targets(connection))


@pytest.mark.usefixtures("app_context", "any_database")
def test_the_first_start_makes_nine_systems_and_six_endpoints() -> None:
    start()
    with reading() as connection:
        rows = {row.name: row for row in connection.execute(select(System.__table__))}
    assert set(rows) == set(SYSTEMS) == set(KNOWN)
    assert (rows["crm"].criticality, rows["crm"].sla_percent) == ("high", 99.9)
    assert (rows["documentos"].criticality, rows["documentos"].sla_percent) == ("low", 95.0)
    assert {target.system: target.url for target in endpoints().values()} == DEFAULTS
    secrets = [target.secrets[0] for target in endpoints().values()]
    assert len(set(secrets)) == 6
    assert all(secret.startswith("whsec_") for secret in secrets)


@pytest.mark.usefixtures("app_context")
def test_a_second_start_changes_nothing() -> None:
    start()
    first = endpoints()
    start(NOW + 1)
    assert endpoints() == first
    with reading() as connection:
        assert set(connection.scalars(select(System.updated_at))) == {NOW}


@pytest.mark.usefixtures("app_context")
def test_a_new_url_moves_the_default_endpoint_along() -> None:
    start()
    start(CARINHO_CRM_URL="http://127.0.0.1:9001/")
    assert known("crm").base_url == "http://127.0.0.1:9001"
    assert "http://127.0.0.1:9001" + V1 in {target.url for target in endpoints().values()}


@pytest.mark.usefixtures("app_context")
def test_an_endpoint_with_another_address_stays_where_it_is() -> None:
    start()
    with transaction() as tx:
        crm = update(Endpoint).where(Endpoint.system == "crm")
        tx.connection.execute(crm.values(url="https://other.example/in"))
    start(CARINHO_CRM_URL="http://127.0.0.1:9001")
    urls = {target.system: target.url for target in endpoints().values()}
    assert urls == {**DEFAULTS, "crm": "https://other.example/in"}


@pytest.mark.usefixtures("app_context")
def test_what_the_environment_leaves_out_stays() -> None:
    start(
        CARINHO_CRM_URL="http://127.0.0.1:9001",
        CARINHO_CRM_API_KEY="key",
        CARINHO_CRM_WEBHOOK_SECRET="secret",
    )
    start(NOW + 1)
    crm = known("crm")
    assert (crm.base_url, crm.api_key) == ("http://127.0.0.1:9001", "key")
    assert crm.webhook_secrets == ("secret",)


@pytest.mark.usefixtures("app_context")
def test_a_new_webhook_secret_leaves_the_old_one_a_day() -> None:
    start(CARINHO_CRM_WEBHOOK_SECRET="old")
    start(CARINHO_CRM_WEBHOOK_SECRET="new", CARINHO_CRM_API_KEY="key 2")
    with reading() as connection:
        row = connection.execute(select(System.__table__).where(System.name == "crm")).one()
    assert unseal(row.webhook_secret_sealed) == "new"
    assert unseal(row.webhook_secret_previous_sealed) == "old"
    assert row.previous_until == NOW + DAY
    assert unseal(row.api_key_sealed) == "key 2"


@pytest.mark.usefixtures("app_context")
def test_a_first_webhook_secret_has_no_old_one() -> None:
    start()
    start(CARINHO_CRM_WEBHOOK_SECRET="new")
    assert known("crm").webhook_secrets == ("new",)


@pytest.mark.usefixtures("app_context")
def test_secrets_are_not_readable_in_the_database(app: Flask) -> None:
    start(CARINHO_CRM_WEBHOOK_SECRET="canary-of-the-crm", CARINHO_CRM_API_KEY="canary-key")
    plain = {"canary-of-the-crm", "canary-key"} | {t.secrets[0] for t in endpoints().values()}
    with reading() as connection:
        rows = [*connection.execute(select(System.__table__)).all()]
        rows += connection.execute(select(Endpoint.__table__)).all()
    text = repr(rows)
    assert not [secret for secret in plain if secret in text]
    assert not [secret for secret in plain if secret in repr((endpoints(), known("crm")))]

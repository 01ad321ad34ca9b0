"""The office: a seeded hub, the partners behind it, a mailbox."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.automations.office import Office
from tests.messages.mailbox import HOST, Mailbox, serve
from tests.partners.client import Partners


@pytest.fixture(scope="session")
def mail_server() -> Iterator[Mailbox]:
    mailbox = Mailbox()
    controller = serve(mailbox)
    yield mailbox
    controller.stop()


@pytest.fixture
def mailbox(mail_server: Mailbox) -> Mailbox:
    mail_server.mails.clear()
    mail_server.refuse = mail_server.refuse_data = ""
    return mail_server


@pytest.fixture
def environ(partners: Partners, mail_server: Mailbox) -> dict[str, str]:
    return {
        **partners.environment(),
        "HUB_ALLOWED_NETWORKS": "127.0.0.0/8",
        "DELIVERY_TIMEOUT": "10",
        "CALL_TIMEOUT": "10",
        "RETRY_BASE_DELAY": "0.02",
        "RETRY_MAX_DELAY": "0.05",
        "RETRY_MAX_ATTEMPTS": "3",
        "CIRCUIT_BREAKER_TIMEOUT": "0.1",
        "CIRCUIT_BREAKER_FAILURE_THRESHOLD": "50",
        "CARINHO_CRM_API_KEY": "the key of the crm",
        "ZAPI_INSTANCE_ID": "INSTANCE",
        "ZAPI_TOKEN": "a-token-that-nobody-may-see",
        "ZAPI_CLIENT_TOKEN": "a-client-token",
        "ZAPI_MIN_INTERVAL": "0",
        "SMTP_HOST": HOST,
        "SMTP_PORT": str(mail_server.port),
        "SMTP_TLS": "none",
        "HUB_PUBLIC_URL": "http://127.0.0.1",
    }


@pytest.fixture
def office(app: Flask, app_context: None, partners: Partners, mailbox: Mailbox) -> Iterator[Office]:
    office = Office(app, partners)
    yield office
    office.engine.finish()

"""The office of the automations' tests: messages leave through the same engine."""

from __future__ import annotations

from tests.automations.conftest import environ, mail_server, mailbox, office

__all__ = ["environ", "mail_server", "mailbox", "office"]

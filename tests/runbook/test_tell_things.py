"""What an entry of the audit trail is about, in words, and the page that shows it."""

from __future__ import annotations

import pytest
from flask import Flask
from werkzeug.routing import RequestRedirect

from app.runbook.rules import things


@pytest.mark.parametrize(
    ("target", "action", "words", "page"),
    [
        ("dead_letter:12", "Arquivou mensagem com erro", "nº 12", "/dlq/12"),
        ("bulk:3", "Cancelou lote", "nº 3", "/dlq/lotes/3"),
        ("alert 7 circuit_breaker crm", "Assumiu alerta", "nº 7", "/alerts/7"),
        ("checklist:4:2", "Respondeu item de checklist", "nº 4, item 2", ""),
        ("endpoint:1", "Enviou evento de teste", "endpoint nº 1", ""),
        ("event:9/notify", "Repetiu passo de automação", "evento nº 9", "/events/9"),
        ("sync-crm-operacao", "Executou sincronização", "sync-crm-operacao", ""),
        ("level:2", "Alterou contato", "level:2", ""),
        (
            "config-1795882467410.json",
            "Fez backup da configuração",
            "config-1795882467410.json",
            "",
        ),
    ],
)
def test_a_target_in_words(target: str, action: str, words: str, page: str) -> None:
    assert (things.said(target, action), things.page(target)) == (words, page)


def test_every_page_is_one(app: Flask) -> None:
    """The addresses are written out here, since the clock has no request: they must exist."""
    urls = app.url_map.bind("localhost")
    for _, path in things.THINGS.values():
        if path:
            try:
                urls.match(path.format(1), method="GET")
            except RequestRedirect as moved:
                pytest.fail(f"{path} only leads to {moved.new_url}")

"""What an entry of the audit trail is about, in the words of people, and the page that shows it."""

from __future__ import annotations

import re

# By kind of target: its name, and where one of them is seen ('' for nowhere).
THINGS = {
    "alert": ("alerta", "/alerts/{}"),
    "api_key": ("chave de API", "/chaves"),
    "bulk": ("lote", "/dlq/lotes/{}"),
    "checklist": ("checklist", ""),
    "dead_letter": ("mensagem com erro", "/dlq/{}"),
    "endpoint": ("endpoint", ""),
    "event": ("evento", "/events/{}"),
    "message": ("mensagem", "/messages/{}"),
    "procedure": ("procedimento", "/procedimentos/execucoes/{}"),
}
NUMBERED = re.compile(r"(\w+)[: ](\d+)(?:[:/ ](\S+))?")


def said(target: str, action: str = "") -> str:
    """As "mensagem com erro nº 12"; "nº 12" where the action says what it is; else as it is."""
    found = NUMBERED.match(target)
    if found is None or found[1] not in THINGS:
        return target
    name, _ = THINGS[found[1]]
    number = f"nº {found[2]}"
    if found[1] == "checklist" and found[3]:
        number = f"nº {found[2]}, item {found[3]}"
    return number if name in action.lower() else f"{name} {number}"


def page(target: str) -> str:
    """Where it can be seen; '' for nowhere."""
    found = NUMBERED.match(target)
    _, path = THINGS.get(found[1], ("", "")) if found else ("", "")
    return path.format(found[2]) if found else ""

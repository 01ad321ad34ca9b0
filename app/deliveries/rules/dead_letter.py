"""States of a dead letter: what each means, and what a person may do in it."""

from __future__ import annotations

from collections.abc import Mapping

MEANING: Mapping[str, str] = {
    "open": "espera uma decisão",
    "retrying": "está a caminho outra vez",
    "resolved": "foi entregue depois de reprocessada",
    "archived": "foi arquivada e não entra nas contagens",
}
# action -> the state it starts from
FROM: Mapping[str, str] = {
    "retry": "open",
    "archive": "open",
    "unarchive": "archived",
    "delete": "archived",
}
ADVICE: Mapping[str, str] = {
    "retry": "só mensagens abertas podem ser reprocessadas",
    "archive": "só mensagens abertas podem ser arquivadas",
    "unarchive": "só mensagens arquivadas podem ser desarquivadas",
    "delete": "só mensagens arquivadas podem ser excluídas",
}


def allowed(action: str, state: str) -> bool:
    """Whether the action is possible in this state."""
    return FROM[action] == state


def refusal(action: str, state: str) -> str:
    """Why the action is not possible, for a person."""
    return f"Esta mensagem {MEANING[state]}; {ADVICE[action]}."


def needs_mapping(error_class: str, attempts: int) -> bool:
    """Whether the body is to be made anew: only what never was on the wire may change."""
    return attempts == 0 and error_class in ("mapping", "no_endpoint")


def address(own: int | None, active: tuple[int, ...], taken: set[int]) -> int | None:
    """The endpoint for a retry: its own, else an active one this event has not gone to yet."""
    if own in active:
        return own
    return next((endpoint for endpoint in active if endpoint not in taken), None)

"""What a person does about a dead letter, by the class of its error; the words of the runbook."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from app.deliveries.rules.retry import describe, succeeded

_AWAY = (
    "Veja se o sistema está no ar. Quando ele voltar a responder, reprocesse. Se muitas "
    "mensagens pararam pela mesma causa, reprocesse o grupo inteiro."
)
_DATA = (
    "Leia a resposta do sistema na última tentativa: ela diz qual dado não serviu. Se o sistema "
    "já aceita esse dado, reprocesse. Se o dado está errado, corrija o conteúdo e reprocesse "
    "(o original fica guardado), ou peça a correção na origem e arquive."
)
_CREDENTIAL = (
    "A chave ou o segredo deste sistema mudou ou venceu. Peça ao Desenvolvimento para conferir a "
    "credencial e depois reprocesse."
)
_ADDRESS = (
    "O endereço do sistema mudou ou foi desligado. Peça ao Desenvolvimento para corrigir o "
    "endpoint e depois reprocesse."
)
ADVICE: Mapping[str, str] = {
    "http_400": _DATA,
    "http_422": _DATA,
    "http_401": _CREDENTIAL,
    "http_403": _CREDENTIAL,
    "http_404": _ADDRESS,
    "http_405": _ADDRESS,
    "http_410": _ADDRESS,
    "http_413": "A mensagem é maior do que o sistema aceita. Fale com o Desenvolvimento.",
    "http_429": "O sistema pediu calma. Espere alguns minutos e reprocesse.",
    "blocked_address": _ADDRESS,
    "invalid_url": _ADDRESS,
    "dns": _ADDRESS,
    "no_endpoint": "Nenhum endereço deste sistema está ativo. Peça ao Desenvolvimento para "
    "ativar um endpoint e depois reprocesse.",
    "mapping": "O mapeamento não serviu para este conteúdo. Peça ao Desenvolvimento para "
    "corrigi-lo; ao reprocessar, a mensagem é montada de novo com o mapeamento corrigido.",
    "crash": "Não reprocesse ainda: o envio derrubou o processo três vezes. Escalone para o "
    "Desenvolvimento.",
    "unconfirmed": "Confira no WhatsApp se a pessoa recebeu a mensagem. Se recebeu, arquive; se "
    "não, reprocesse: ela sai mais uma vez. Não reprocesse o grupo sem conferir.",
    "opted_out": "A pessoa pediu para não receber mensagens automáticas. Arquive.",
    "bad_phone": "O número não tem WhatsApp. Corrija o telefone na origem e arquive.",
    "bad_address": "O servidor recusou o endereço de e-mail. Corrija-o na origem e arquive.",
    "not_configured": "O canal não está configurado. Peça ao Desenvolvimento para configurá-lo e "
    "depois reprocesse.",
    "mail_auth": _CREDENTIAL,
    "tls": "O certificado do sistema não foi aceito. Avise os responsáveis por ele; quando "
    "estiver corrigido, reprocesse.",
}


def advice(error_class: str) -> str:
    """What to do, for the class stored with the dead letter."""
    found = ADVICE.get(error_class)
    if found is None and error_class.startswith("http_4"):
        return _DATA
    return found or _AWAY


Decision = Literal["retry", "correct", "archive", "look"]
_ARCHIVED = ("opted_out", "bad_phone", "bad_address")
_LOOKED_AT = ("crash", "unconfirmed")


def decision(error_class: str) -> Decision:
    """What is usually decided about a cause; `look`: one message at a time, never the group."""
    if error_class in _ARCHIVED:
        return "archive"
    if error_class in _LOOKED_AT:
        return "look"
    return "correct" if advice(error_class) == _DATA else "retry"


def attempt_words(status: int | None, error_class: str) -> str:
    """How an attempt ended."""
    if not error_class and succeeded(status):
        return f"entregue (HTTP {status})"
    return describe(status, error_class)


def cause_words(message: str, status: int | None) -> str:
    """A cause for people: its own status instead of the stand-in, no number of attempts."""
    text = message.replace("(HTTP #)", f"(HTTP {status})" if status else "")
    return re.sub(r" \(# tentativas?\)", "", text).strip()

"""After an attempt: sent, tried again at a time, or given up with a reason people understand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Literal

from app.numbers import whole

SENT: Literal["sent"] = "sent"
RETRY: Literal["retry"] = "retry"
DEAD: Literal["dead"] = "dead"

PERMANENT: Mapping[int, str] = {
    400: "os dados foram recusados",
    401: "a credencial do hub não foi aceita",
    403: "o hub não tem permissão",
    404: "o endereço não existe",
    405: "o endereço não aceita este tipo de envio",
    406: "o formato da resposta não é aceito",
    410: "o endereço foi desativado",
    411: "o sistema exige o tamanho do conteúdo",
    413: "a mensagem é grande demais",
    414: "o endereço é longo demais",
    415: "o formato do conteúdo não é aceito",
    422: "os dados são inválidos",
    451: "recusado por motivo legal",
}
CONDITIONS: Mapping[str, str] = {
    "timeout": "não respondeu a tempo",
    "connect": "não aceitou a conexão",
    "dns": "o endereço não foi encontrado na rede",
    "tls": "a conexão segura falhou",
    "cut_off": "a resposta veio cortada",
    "too_large": "a resposta é grande demais",
    "protocol": "a resposta não é HTTP válido",
    "blocked_address": "o endereço não é permitido (rede privada ou reservada)",
    "invalid_url": "o endereço é inválido",
    "no_endpoint": "não há endereço ativo para receber",
    "mapping": "o mapeamento não pôde ser aplicado",
    "crash": "o envio derrubou o processo três vezes e foi posto de lado",
    "worker_lost": "o processo que enviava terminou no meio",
    "internal": "o hub não conseguiu preparar o envio",
    "bad_answer": "a resposta não traz o que se pediu",
    "not_configured": "o canal de envio não está configurado",
    "opted_out": "a pessoa pediu para não receber mensagens automáticas",
    "bad_phone": "o número não existe no WhatsApp ou é inválido",
    "bad_address": "o servidor de e-mail recusou a mensagem ou o endereço",
    "unconfirmed": "não se sabe se a mensagem saiu; confira no WhatsApp antes de reenviar",
    "mail_later": "o servidor de e-mail pediu para tentar mais tarde",
    "mail_auth": "o servidor de e-mail não aceitou a credencial do hub",
}
# Retrying cannot help these: someone has to change something first.
HOPELESS = frozenset({
    "blocked_address", "invalid_url", "no_endpoint", "mapping", "crash", "not_configured",
    "opted_out", "bad_phone", "bad_address",
})  # fmt: skip
# Failures of the hub's own.
OURS = frozenset({"worker_lost", "internal", "mail_later", "unconfirmed"})
WORST_CRASHES = 3
# Digits of the seconds that a partner may ask for.
LONGEST_WAIT = 9
# From this crash on a row is sent with nothing beside it.
ALONE_FROM = 2


@dataclass(frozen=True, slots=True)
class Policy:
    """How often and how patiently; delays in seconds."""

    max_attempts: int = 5
    base_delay: float = 60.0
    multiplier: float = 2.0
    max_delay: float = 3600.0
    jitter: float = 0.2

    def delay(self, attempt: int, chance: float) -> float:
        """Seconds after failed attempt number `attempt` (1…); `chance` in [0, 1) is the jitter."""
        # Past the cap the power only overflows.
        steps = min(attempt - 1, 64)
        plain = min(self.base_delay * self.multiplier**steps, self.max_delay)
        return min(plain * (1 - self.jitter + 2 * self.jitter * chance), self.max_delay)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a delivery: `kind`, when it is tried again (ms) and why it is not."""

    kind: Literal["sent", "retry", "dead"]
    due_at: int | None = None
    error_class: str = ""
    reason: str = ""


def succeeded(status: int | None) -> bool:
    """Only 2xx is success."""
    return status is not None and 200 <= status < 300


def breaks(status: int | None, error_class: str) -> bool | None:
    """What an attempt says of its system's health: True bad, False fine, None nothing.

    Only 5xx, timeouts and connection errors speak against a system; a 4xx shows that it lives.
    """
    if error_class:
        return None if error_class in HOPELESS | OURS else True
    return status is None or status >= 500


def decide(
    status: int | None,
    error_class: str,
    retry_after: float | None,
    attempt: int,
    policy: Policy,
    now: int,
    chance: float,
) -> Verdict:
    """The verdict on attempt number `attempt` (1…, since a person last asked for it)."""
    if not error_class and succeeded(status):
        return Verdict(SENT)
    known = error_class or f"http_{status}"
    if error_class in HOPELESS or (not error_class and _refused(status)):
        return Verdict(DEAD, error_class=known, reason=describe(status, error_class))
    if attempt >= policy.max_attempts:
        tries = f"{attempt} tentativas" if attempt > 1 else "1 tentativa"
        reason = f"{describe(status, error_class)} ({tries})"
        return Verdict(DEAD, error_class=known, reason=reason)
    wait = policy.delay(attempt, chance)
    if retry_after is not None:
        wait = max(wait, min(retry_after, policy.max_delay))
    return Verdict(RETRY, now + round(wait * 1000), known, describe(status, error_class))


def _refused(status: int | None) -> bool:
    """Whether the same message would be refused again (redirects are never followed)."""
    if status is None:
        return False
    return status in PERMANENT or 100 <= status < 400


def describe(status: int | None, error_class: str) -> str:
    """The failure in plain Portuguese, with the code for those who know it."""
    if error_class:
        return CONDITIONS.get(error_class, error_class)
    if status is None:
        return "sem resposta"
    if status in PERMANENT:
        return f"{PERMANENT[status]} (HTTP {status})"
    if status == 429:
        return "o sistema pediu para enviar mais devagar (HTTP 429)"
    if status >= 500:
        return f"o sistema está com erro interno (HTTP {status})"
    if 300 <= status < 400:
        return f"o endereço mudou e redirecionamentos não são seguidos (HTTP {status})"
    return f"resposta inesperada (HTTP {status})"


def parse_retry_after(value: str, now: int) -> float | None:
    """Seconds asked for by a Retry-After header (a number or a date), None if unreadable."""
    text = value.strip()
    if (seconds := whole(text, LONGEST_WAIT)) is not None:
        return float(seconds)
    try:
        moment = parsedate_to_datetime(text)
        # HTTP dates are UTC even where they do not say so.
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(aware.timestamp() - now / 1000, 0.0)
    except (TypeError, ValueError, OverflowError, IndexError):
        return None

"""The texts and quiet hours that the hub starts with; what people changed is never touched."""

from __future__ import annotations

from sqlalchemy import select

from app.db import insert_missing, transaction
from app.messages.models import MessageTemplate, Pace, QuietHours
from app.messages.rules.templates import EMAIL, WHATSAPP, Words

QUIET = ("21:00", "08:00")
ONE = 1

_WELCOME = (
    "Olá, {nome}! Seja muito bem-vindo(a) à {empresa}.\n\n"
    "Seu cadastro está pronto e a nossa equipe já está cuidando do próximo passo. "
    "Se precisar de qualquer coisa, é só responder por aqui."
)
_WELCOME_HTML = (
    "<p>Olá, {nome}!</p><p>Seja muito bem-vindo(a) à <strong>{empresa}</strong>.</p>"
    "<p>Seu cadastro está pronto e a nossa equipe já está cuidando do próximo passo. "
    "Se precisar de qualquer coisa, é só responder a este e-mail.</p>"
    "<p>Com carinho,<br>{empresa}</p>"
)
_FEEDBACK = (
    "Olá, {nome}! Como foi o atendimento de {cuidador}? "
    "Sua opinião nos ajuda a cuidar cada vez melhor."
)
_FEEDBACK_HTML = (
    "<p>Olá, {nome}!</p><p>Como foi o atendimento de {cuidador}? "
    "Sua opinião nos ajuda a cuidar cada vez melhor.</p>"
    '<p><a href="{link}">Avaliar o atendimento</a> (o link vale por 7 dias)</p>'
    "<p>Com carinho,<br>{empresa}</p>"
)
TEMPLATES: dict[tuple[str, str], Words] = {
    ("auto_reply", WHATSAPP): Words(
        "",
        "Olá, {nome}! Aqui é da {empresa}. Recebemos a sua mensagem e logo uma pessoa da nossa "
        "equipe vai falar com você.\n\nSe preferir não receber mensagens automáticas, "
        "responda SAIR.",
    ),
    ("welcome", WHATSAPP): Words("", _WELCOME),
    ("welcome", EMAIL): Words(
        "Boas-vindas à {empresa}", f"{_WELCOME}\n\nCom carinho,\n{{empresa}}", _WELCOME_HTML
    ),
    ("service_notice", WHATSAPP): Words(
        "",
        "Olá, {nome}! O atendimento de {cuidador} foi concluído ({horas} h). "
        "Obrigado por confiar na {empresa}.",
    ),
    ("feedback_request", WHATSAPP): Words("", _FEEDBACK),
    ("feedback_request", EMAIL): Words(
        "Como foi o atendimento?",
        f"{_FEEDBACK}\n\nPara avaliar, abra: {{link}}\n(o link vale por 7 dias)\n\n"
        "Com carinho,\n{empresa}",
        _FEEDBACK_HTML,
    ),
    ("thanks_warm", WHATSAPP): Words(
        "",
        "Que alegria saber disso, {nome}! Vamos contar para quem cuidou. Muito obrigado pela "
        "nota {nota}.",
    ),
    ("thanks", WHATSAPP): Words(
        "",
        "Obrigado pela sinceridade, {nome}. Sentimos muito que não tenha sido como você "
        "esperava: uma pessoa da nossa equipe vai entrar em contato.",
    ),
}


def seed(*, now: int) -> None:
    """Add what is missing; safe to run at every start."""
    with transaction() as tx:
        c = tx.connection
        insert_missing(c, QuietHours, [{"id": ONE, "starts": QUIET[0], "ends": QUIET[1]}])
        insert_missing(c, Pace, [{"id": ONE, "next_at": 0}])
        known = {
            (row.key, row.channel)
            for row in c.execute(select(MessageTemplate.key, MessageTemplate.channel))
        }
        rows = [
            _row(key, channel, now) for key, channel in TEMPLATES if (key, channel) not in known
        ]
        insert_missing(c, MessageTemplate, rows)


def _row(key: str, channel: str, now: int) -> dict[str, object]:
    words = TEMPLATES[key, channel]
    return {
        "key": key, "channel": channel, "version": 1, "subject": words.subject,
        "text": words.text, "html": words.html, "created_at": now, "created_by": "hub",
    }  # fmt: skip

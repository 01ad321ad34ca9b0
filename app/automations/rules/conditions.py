"""When a step of an automation is taken; each condition says why it is not."""

from __future__ import annotations

from app.automations.rules import bodies
from app.automations.rules.step import When
from app.messages.rules.mail import usable

HAS_PHONE = When(lambda c: bool(c.phone("phone")), "o evento não traz um telefone válido")
HAS_EMAIL = When(lambda c: bool(usable(c.text("email"))), "o evento não traz um e-mail válido")
HAS_LEAD_ID = When(lambda c: bool(c.text("lead_id")), "o evento não traz um lead")
IS_NEW_TO_CRM = When(lambda c: not c.text("lead_id"), "o CRM já tem este lead")
HAS_CAMPAIGN = When(lambda c: bool(c.text("utm_campaign")), "o evento não traz uma campanha")
FOUND_CAMPAIGN = When(
    lambda c: c.output("find_campaign", "campaign_id") is not None,
    "o Marketing não conhece a campanha",
)
CLIENT_HAS_PHONE = When(
    lambda c: bool(c.phone("client_phone")), "o evento não traz um telefone válido"
)
CLIENT_HAS_EMAIL = When(
    lambda c: bool(usable(c.text("client_email"))), "o evento não traz um e-mail válido"
)
NOT_RATED = When(lambda c: not c.found.get("rated"), "a avaliação já chegou")
NOT_RECURRING = When(
    lambda c: not c.flag("is_recurring"), "serviço recorrente: é faturado em conjunto"
)
IS_RATING = When(lambda c: bodies.rating(c) > 0, "a mensagem não é uma avaliação")
IS_NO_RATING = When(lambda c: bodies.rating(c) == 0, "a mensagem é uma avaliação")
NO_LEAD_YET = When(lambda c: c.output("find_lead", "lead_id") is None, "o CRM já tem este telefone")
MADE_A_LEAD = When(
    lambda c: c.output("create_lead", "lead_id") is not None, "nenhum lead foi criado"
)

"""The four automations, step by step. This is the place to read and to change them."""

from __future__ import annotations

from datetime import timedelta

from app import clock
from app.automations.rules import bodies
from app.automations.rules.conditions import (
    CLIENT_HAS_EMAIL,
    CLIENT_HAS_PHONE,
    FOUND_CAMPAIGN,
    HAS_CAMPAIGN,
    HAS_EMAIL,
    HAS_LEAD_ID,
    HAS_PHONE,
    IS_NEW_TO_CRM,
    IS_NO_RATING,
    IS_RATING,
    MADE_A_LEAD,
    NO_LEAD_YET,
    NOT_RATED,
    NOT_RECURRING,
)
from app.automations.rules.step import CallSystem, Context, Flow, Say, Step, Tell, Write
from app.deliveries.rules.call import Call
from app.messages.rules.mail import usable
from app.messages.rules.templates import first_name

FEEDBACK_AFTER = 2 * clock.HOUR
PAY_WITHIN = timedelta(days=3)
RATINGS = tuple((f"rating_{n}", f"{n} estrela{'s' if n > 1 else ''}") for n in range(1, 6))

FOUND_LEAD = {"lead_id": "data.0.id", "interactions": "data.0.interaction_count"}
MADE_LEAD = {"lead_id": "data.id"}


def crm_lane(c: Context) -> str:
    """All that looks for a lead and may make one, phone by phone."""
    return f"crm:{c.phone('phone')}"


def talk_lane(c: Context) -> str:
    """All that looks for a conversation and may open one, phone by phone."""
    return f"atendimento:{c.phone('phone')}"


# --- new lead -------------------------------------------------------------------------------


def find_lead(c: Context) -> CallSystem:
    """Ask the CRM for the lead with this phone."""
    query = {"phone": c.phone("phone")}
    return CallSystem("crm", Call("GET", "/api/v1/leads", query=query, leaves=FOUND_LEAD))


def save_lead(c: Context) -> CallSystem:
    """Note one more contact of a known lead, or make a new one."""
    known = c.output("find_lead", "lead_id")
    if known is None:
        return create_lead(c)
    values = bodies.one_more_contact(c)
    path = f"/api/v1/leads/{bodies.segment(known)}"
    return CallSystem("crm", Call("PUT", path, values, leaves=MADE_LEAD))


def create_lead(c: Context) -> CallSystem:
    """Make a lead in the CRM; whichever event does it, one phone has one key and so one lead."""
    call = Call(
        "POST", "/api/v1/leads", bodies.lead(c), leaves=MADE_LEAD, demands=("lead_id",),
        key=bodies.lead_key(c),
    )  # fmt: skip
    return CallSystem("crm", call)


def auto_reply(c: Context) -> Say:
    """Tell whoever wrote that a person will answer."""
    values = {"nome": first_name(c.text("name"))}
    return Say(c.phone("phone"), "auto_reply", values, urgent=True)


def find_campaign(c: Context) -> CallSystem:
    """Ask Marketing which campaign this is."""
    query = {name: c.text(name) for name in bodies.UTM if c.text(name)}
    leaves = {"campaign_id": "data.id"}
    call = Call("GET", "/api/v1/campaigns/find", query=query, leaves=leaves, absent=True)
    return CallSystem("marketing", call)


def attribute(c: Context) -> CallSystem:
    """Tell Marketing that the campaign brought this lead."""
    return CallSystem("marketing", Call("POST", "/api/v1/attribution", bodies.attribution(c)))


NEW_LEAD = Flow(
    "new_lead",
    "Novo lead",
    "lead.created",
    (
        Step("find_lead", "Procurar o lead no CRM", find_lead,
             when=(IS_NEW_TO_CRM, HAS_PHONE), lane=crm_lane, looks=True),
        Step("save_lead", "Atualizar ou criar o lead no CRM", save_lead,
             needs=("find_lead",), when=(IS_NEW_TO_CRM, HAS_PHONE), lane=crm_lane),
        # Needs nothing of the CRM: people get their answer while it is away.
        Step("auto_reply", "Responder no WhatsApp", auto_reply, when=(HAS_PHONE,)),
        Step("find_campaign", "Procurar a campanha no Marketing", find_campaign,
             when=(HAS_CAMPAIGN,)),
        Step("attribution", "Atribuir o lead à campanha", attribute,
             needs=("save_lead", "find_campaign"), when=(HAS_CAMPAIGN, FOUND_CAMPAIGN)),
    ),
)  # fmt: skip


# --- client registered ----------------------------------------------------------------------


def welcome_email(c: Context) -> Write:
    """Welcome the client by e-mail."""
    return Write(usable(c.text("email")), "welcome", bodies.welcome(c), once=_client(c, "email"))


def welcome_whatsapp(c: Context) -> Say:
    """Welcome the client on WhatsApp."""
    return Say(c.phone("phone"), "welcome", bodies.welcome(c), once=_client(c, "whatsapp"))


def advance_lead(c: Context) -> CallSystem:
    """The lead became a client."""
    path = f"/api/v1/leads/{bodies.segment(c.text('lead_id'))}/advance"
    return CallSystem("crm", Call("POST", path, bodies.advance(c)), once=_client(c, "advance"))


def open_deal(c: Context) -> CallSystem:
    """Note the deal in the CRM."""
    return CallSystem("crm", Call("POST", "/api/v1/deals", bodies.deal(c)), once=_client(c, "deal"))


def billing_client(c: Context) -> CallSystem:
    """Make the client in Financeiro."""
    call = Call("POST", "/api/clients", bodies.billing_client(c))
    return CallSystem("financeiro", call, once=_client(c, "billing"))


def _client(c: Context, what: str) -> str:
    """The cause: this client was registered, however often that is told."""
    return f"client:{c.text('id')}:{what}" if c.text("id") else ""


CLIENT_REGISTERED = Flow(
    "client_registered",
    "Cliente cadastrado",
    "client.registered",
    (
        Step("welcome_email", "E-mail de boas-vindas", welcome_email, when=(HAS_EMAIL,)),
        Step("welcome_whatsapp", "WhatsApp de boas-vindas", welcome_whatsapp, when=(HAS_PHONE,)),
        Step("advance_lead", "Avançar o lead no CRM", advance_lead, when=(HAS_LEAD_ID,)),
        Step("open_deal", "Abrir o negócio no CRM", open_deal,
             needs=("advance_lead",), when=(HAS_LEAD_ID,)),
        Step("billing_client", "Cadastrar no Financeiro", billing_client),
    ),
)  # fmt: skip


# --- service completed ----------------------------------------------------------------------


def notice(c: Context) -> Say:
    """Tell the family at once that the service is over."""
    phone, values = c.phone("client_phone"), bodies.service_words(c)
    return Say(phone, "service_notice", values, urgent=True, once=_service(c, "notice"))


def ask_on_whatsapp(c: Context) -> Say:
    """Ask for an opinion with five buttons."""
    phone, values = c.phone("client_phone"), bodies.service_words(c)
    once = _service(c, "ask-whatsapp")
    return Say(phone, "feedback_request", values, buttons=RATINGS, once=once)


def ask_by_email(c: Context) -> Write:
    """Ask for an opinion with a link."""
    to, values = usable(c.text("client_email")), bodies.service_words(c)
    once = _service(c, "ask-email")
    return Write(to, "feedback_request", values, feedback_link=True, once=once)


def price(c: Context) -> CallSystem:
    """Ask Financeiro what the service costs."""
    leaves = {"hours": "data.hours", "unit_price": "data.unit_price", "total": "data.total"}
    call = Call(
        "POST", "/api/pricing/calculate", bodies.pricing(c), leaves=leaves,
        demands=("unit_price", "total"),
    )  # fmt: skip
    return CallSystem("financeiro", call)


def invoice(c: Context) -> CallSystem:
    """Make the invoice; the nightly sync uses the same key, so that there is one."""
    due = clock.to_datetime(c.now, c.zone).date() + PAY_WITHIN
    key = bodies.invoice_key(c.text("id"))
    call = Call("POST", "/api/invoices", bodies.invoice(c, str(due)), key=key)
    return CallSystem("financeiro", call, once=_service(c, "invoice"))


def _service(c: Context, what: str) -> str:
    """The cause: this service is over, however often that is told."""
    return f"service:{c.text('id')}:{what}" if c.text("id") else ""


SERVICE_COMPLETED = Flow(
    "service_completed",
    "Serviço concluído",
    "service.completed",
    (
        Step("notice", "Avisar no WhatsApp", notice, when=(CLIENT_HAS_PHONE,)),
        Step("ask_on_whatsapp", "Pedir avaliação no WhatsApp", ask_on_whatsapp,
             delay=FEEDBACK_AFTER, when=(CLIENT_HAS_PHONE, NOT_RATED), looks_up=("rated",)),
        Step("ask_by_email", "Pedir avaliação por e-mail", ask_by_email,
             delay=FEEDBACK_AFTER, when=(CLIENT_HAS_EMAIL, NOT_RATED), looks_up=("rated",)),
        Step("price", "Calcular o valor no Financeiro", price, when=(NOT_RECURRING,)),
        Step("invoice", "Emitir a fatura no Financeiro", invoice,
             needs=("price",), when=(NOT_RECURRING,)),
    ),
)  # fmt: skip


# --- WhatsApp inbound -----------------------------------------------------------------------


def tell_feedback(c: Context) -> Tell:
    """A button was an opinion: it becomes an event of its own."""
    return Tell("feedback.received", "whatsapp", bodies.feedback(c), bodies.feedback_key(c))


def thank(c: Context) -> Say:
    """Thank for the opinion, warmly where it was a good one."""
    stars = bodies.rating(c)
    values = {"nome": first_name(c.text("name")), "nota": stars}
    return Say(c.phone("phone"), "thanks_warm" if stars >= 4 else "thanks", values, urgent=True)


def tell_lead(c: Context) -> Tell:
    """Somebody new wrote: the other systems learn of the lead, and it gets its answer."""
    key = f"lead-of-event:{c.event_id}"
    return Tell("lead.created", "whatsapp", bodies.lead_from_whatsapp(c), key)


def note_interaction(c: Context) -> CallSystem:
    """Note the message with its lead in the CRM."""
    lead = c.output("find_lead", "lead_id") or c.output("create_lead", "lead_id")
    path = f"/api/v1/leads/{bodies.segment(lead)}/interactions"
    return CallSystem("crm", Call("POST", path, bodies.interaction(c)))


def find_conversation(c: Context) -> CallSystem:
    """Ask Atendimento for the conversation with this phone."""
    query = {"phone": c.phone("phone")}
    leaves = {"conversation_id": "data.0.id"}
    call = Call("GET", "/api/v1/conversations", query=query, leaves=leaves)
    return CallSystem("atendimento", call)


def converse(c: Context) -> CallSystem:
    """Append the message to the conversation, or open one with it."""
    known = c.output("find_conversation", "conversation_id")
    if known is None:
        values = bodies.conversation(c)
        return CallSystem("atendimento", Call("POST", "/api/v1/conversations", values))
    path = f"/api/v1/conversations/{bodies.segment(known)}/messages"
    return CallSystem("atendimento", Call("POST", path, bodies.conversation_message(c)))


WHATSAPP_INBOUND = Flow(
    "whatsapp_inbound",
    "Mensagem recebida no WhatsApp",
    "whatsapp.inbound",
    (
        Step("feedback", "Registrar a avaliação", tell_feedback,
             when=(IS_RATING,), looks_up=("service",)),
        Step("thanks", "Agradecer a avaliação", thank, when=(IS_RATING, HAS_PHONE)),
        Step("find_lead", "Procurar o lead no CRM", find_lead,
             when=(IS_NO_RATING, HAS_PHONE), lane=crm_lane, looks=True),
        Step("create_lead", "Criar o lead no CRM", create_lead,
             needs=("find_lead",), when=(IS_NO_RATING, HAS_PHONE, NO_LEAD_YET), lane=crm_lane),
        Step("tell_lead", "Anunciar o novo lead", tell_lead,
             needs=("create_lead",), when=(IS_NO_RATING, MADE_A_LEAD)),
        Step("interaction", "Registrar a conversa no CRM", note_interaction,
             needs=("create_lead",), when=(IS_NO_RATING, HAS_PHONE)),
        Step("find_conversation", "Procurar a conversa no Atendimento", find_conversation,
             when=(IS_NO_RATING, HAS_PHONE), lane=talk_lane, looks=True),
        Step("conversation", "Continuar ou abrir a conversa no Atendimento", converse,
             needs=("find_conversation",), when=(IS_NO_RATING, HAS_PHONE), lane=talk_lane),
    ),
)  # fmt: skip

FLOWS = (NEW_LEAD, CLIENT_REGISTERED, SERVICE_COMPLETED, WHATSAPP_INBOUND)
BY_TYPE = {flow.event_type: flow for flow in FLOWS}
BY_NAME = {flow.name: flow for flow in FLOWS}

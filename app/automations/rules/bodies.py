"""What the calls and messages of the automations say; pure and total: any payload gives a body."""

from __future__ import annotations

import hashlib
import re
from typing import Any
from urllib.parse import quote

from app import clock
from app.automations.rules.step import Context
from app.messages.rules.templates import first_name

UTM = ("utm_source", "utm_medium", "utm_campaign")
RATING = re.compile(r"rating_([1-5])", re.ASCII)
LONGEST_PLAIN_ID = 64
EXTRAS = ("is_weekend", "is_night", "is_holiday")


def segment(value: object) -> str:
    """An id of another system as one part of a path, whatever it holds."""
    return quote(str(value), safe="")


def moment(c: Context) -> str | None:
    """When the event came, as text."""
    return clock.iso(c.created_at)


def rating(c: Context) -> int:
    """The stars of a rating button, 0 for everything else."""
    found = RATING.fullmatch(c.text("button_id"))
    return int(found[1]) if found else 0


def lead(c: Context) -> dict[str, Any]:
    """A new lead of the CRM."""
    known = c.given("name", "email", "message", *UTM, "page_url", "form_id")
    body = c.text("body")
    return {
        **({"message": body} if body else {}),
        **known,
        "phone": c.phone("phone"),
        "source": c.text("source") or c.source,
        "last_contact_at": moment(c),
        "interaction_count": 1,
    }


def lead_key(c: Context) -> str:
    """Idempotency-Key of a new lead: a dead letter sent again days later makes no second one."""
    return f"lead:{c.phone('phone')}"


def one_more_contact(c: Context) -> dict[str, Any]:
    """A known lead was in touch again."""
    before = c.output("find_lead", "interactions")
    count = before if isinstance(before, int) and not isinstance(before, bool) else 0
    return {"last_contact_at": moment(c), "interaction_count": count + 1}


def attribution(c: Context) -> dict[str, Any]:
    """Which campaign brought which lead."""
    return {
        "campaign_id": c.output("find_campaign", "campaign_id"),
        "lead_id": c.output("save_lead", "lead_id") or c.payload.get("lead_id"),
        "phone": c.phone("phone"),
        **c.given(*UTM, "page_url"),
        "attributed_at": moment(c),
    }


def welcome(c: Context) -> dict[str, object]:
    """Words of the welcome."""
    return {"nome": first_name(c.text("name")), "servico": spoken(c.text("service_type"))}


def advance(c: Context) -> dict[str, Any]:
    """Why the lead moves on."""
    return {"client_id": c.payload.get("id"), "reason": "client.registered"}


def deal(c: Context) -> dict[str, Any]:
    """A deal of the CRM."""
    return {
        "lead_id": c.payload.get("lead_id"),
        "client_id": c.payload.get("id"),
        "service_type": c.payload.get("service_type"),
        "value": c.payload.get("estimated_value"),
    }


def billing_client(c: Context) -> dict[str, Any]:
    """A client of Financeiro."""
    values = c.given("name", "email", "cpf")
    return {"crm_client_id": c.payload.get("id"), **values, "phone": c.phone("phone")}


def service_words(c: Context) -> dict[str, object]:
    """Words about a service that was done."""
    return {
        "nome": first_name(c.text("client_name")),
        "cuidador": c.text("caregiver_name") or "nossa equipe",
        "servico": spoken(c.text("service_type")),
        "horas": c.text("duration_hours"),
    }


def spoken(service_type: str) -> str:
    """`cuidador_diurno` as people say it."""
    return service_type.replace("_", " ")


def pricing(c: Context) -> dict[str, Any]:
    """What the price depends on."""
    return {
        **c.given("client_id", "service_type", "duration_hours", "completed_at"),
        **{name: c.flag(name) for name in EXTRAS},
    }


def invoice_key(service_id: str) -> str:
    """Idempotency-Key of a service's invoice, whoever makes it; short enough to be kept."""
    if len(service_id) > LONGEST_PLAIN_ID:
        service_id = hashlib.sha256(service_id.encode()).hexdigest()
    return f"invoice:{service_id}" if service_id else ""


def invoice(c: Context, due: str) -> dict[str, Any]:
    """An invoice of one service at the price just asked for."""
    hours = c.output("price", "hours")
    item = {
        "description": spoken(c.text("service_type")) or "serviço",
        "hours": hours if hours is not None else c.payload.get("duration_hours"),
        "unit_price": c.output("price", "unit_price"),
        "total": c.output("price", "total"),
    }
    return {
        "client_id": c.payload.get("client_id"),
        "operacao_service_id": c.payload.get("id"),
        "items": [item],
        "due_date": due,
    }


def feedback(c: Context) -> dict[str, Any]:
    """An opinion given with a button; the service is the one that was asked about."""
    service = c.found.get("service") or {}
    return {
        **{name: service.get(name) for name in ("service_id", "caregiver_id", "client_id")},
        "rating": rating(c),
        "comment": "",
        "channel": "whatsapp",
        "phone": c.phone("phone"),
    }


def feedback_key(c: Context) -> str:
    """One opinion on WhatsApp for a service; without a service, one for the message."""
    service = (c.found.get("service") or {}).get("service_id")
    return f"feedback:service:{segment(service)}"[:200] if service else f"feedback:{c.event_id}"


def lead_from_whatsapp(c: Context) -> dict[str, Any]:
    """A lead that began with a message."""
    return {
        "name": c.text("name"),
        "phone": c.phone("phone"),
        "source": "whatsapp",
        "message": c.text("body"),
        "lead_id": c.output("create_lead", "lead_id"),
    }


def interaction(c: Context) -> dict[str, Any]:
    """A message as the CRM notes it."""
    return {
        "type": "whatsapp",
        "direction": "inbound",
        "message": c.text("body"),
        "kind": c.text("kind"),
        "message_id": c.text("message_id"),
        "occurred_at": c.text("received_at") or moment(c),
    }


def conversation(c: Context) -> dict[str, Any]:
    """A conversation of Atendimento with its first message."""
    start = {"phone": c.phone("phone"), "name": c.text("name"), "channel": "whatsapp"}
    return {**start, **conversation_message(c)}


def conversation_message(c: Context) -> dict[str, Any]:
    """A message as Atendimento keeps it."""
    return {
        "direction": "inbound",
        "message": c.text("body"),
        "kind": c.text("kind"),
        "media": c.payload.get("media"),
        "message_id": c.text("message_id"),
        "sent_at": c.text("received_at") or moment(c),
    }

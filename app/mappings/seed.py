"""The routes and mappings that the hub starts with; what operators changed is never touched."""

from __future__ import annotations

from app.access.actor import SYSTEM
from app.db import Tx
from app.mappings.actions.routing import put_routes
from app.mappings.actions.save import Draft, insert_version, write_unique
from app.mappings.queries import SavedRoute, newest, routes
from app.mappings.rules import FIRST_VERSION

ROUTES: dict[str, tuple[str, ...]] = {
    "lead.created": ("crm", "marketing"),
    "lead.updated": ("crm",),
    "client.registered": ("crm", "financeiro", "marketing"),
    "client.updated": ("crm", "operacao"),
    "service.scheduled": ("crm", "operacao", "cuidadores", "financeiro"),
    "service.started": ("crm", "operacao"),
    "service.completed": ("crm", "financeiro", "cuidadores"),
    "service.cancelled": ("crm", "operacao", "financeiro"),
    "payment.received": ("crm", "operacao"),
    "payment.failed": ("crm",),
    "invoice.created": ("crm",),
    "payout.processed": ("cuidadores",),
    "whatsapp.inbound": ("crm", "atendimento"),
    "whatsapp.status": ("atendimento",),
    "feedback.received": ("crm", "cuidadores"),
    "caregiver.available": ("operacao",),
    "caregiver.assigned": ("crm", "cuidadores"),
}


def _same(*names: str) -> dict[str, object]:
    return {name: name for name in names}


MAPPINGS: dict[tuple[str, str], dict[str, object]] = {
    ("lead.created", "crm"): _same(
        "name", "phone", "email", "source", "utm_source", "utm_medium", "utm_campaign", "message"
    ),
    ("lead.created", "marketing"): {
        "lead_name": "name",
        "lead_phone": "phone",
        "lead_email": "email",
        "source_channel": "source",
        "campaign": {
            "type": "array",
            "sources": {
                "source": "utm_source",
                "medium": "utm_medium",
                "campaign": "utm_campaign",
            },
        },
    },
    ("client.registered", "crm"): {
        "client_id": "id",
        **_same("name", "email", "phone", "lead_id", "service_type"),
    },
    ("client.registered", "financeiro"): {
        "crm_client_id": "id",
        "client_name": "name",
        "client_email": "email",
        "client_phone": "phone",
        "cpf": "cpf",
    },
    ("service.scheduled", "operacao"): {
        **_same("client_id", "contract_id", "service_type"),
        "start_datetime": "start_date",
        "end_datetime": "end_date",
        "client_preferences": "preferences",
    },
    ("service.completed", "financeiro"): {
        "operacao_service_id": "id",
        **_same("client_id", "caregiver_id", "service_type", "duration_hours", "completed_at"),
        "additionals": {
            "type": "array",
            "sources": _same("is_weekend", "is_night", "is_holiday"),
        },
    },
    ("service.completed", "crm"): {
        "service_id": "id",
        **_same("client_id", "caregiver_id", "completed_at", "duration_hours"),
    },
    ("payment.received", "crm"): {
        "payment_id": "id",
        **_same("invoice_id", "client_id", "amount"),
        "payment_method": "method",
        "paid_at": "paid_at",
    },
    ("payout.processed", "cuidadores"): {
        "payout_id": "id",
        **_same("caregiver_id", "amount", "period_start", "period_end", "processed_at"),
    },
    ("feedback.received", "cuidadores"): _same(
        "service_id", "caregiver_id", "client_id", "rating", "comment", "channel"
    ),
    ("whatsapp.inbound", "atendimento"): {
        "phone": "phone",
        "sender_name": "name",
        "message_body": "body",
        **_same("lead_id", "received_at"),
    },
}


def seed(*, now: int) -> None:
    """Add the routes and mappings whose pair has none; safe to run at every start."""
    write_unique(lambda tx: _seed(tx, now))


def _seed(tx: Tx, now: int) -> None:
    known = {(route.event_type, route.system) for route in routes(tx.connection)}
    wanted = [(event_type, name) for event_type, systems in ROUTES.items() for name in systems]
    missing = [SavedRoute(*pair, active=True) for pair in wanted if pair not in known]
    put_routes(tx, missing, now=now)
    for (event_type, system), document in MAPPINGS.items():
        if newest(tx.connection, event_type, system) is None:
            draft = Draft(event_type, system, document, SYSTEM, now)
            insert_version(tx, draft, FIRST_VERSION)

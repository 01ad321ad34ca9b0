"""The four syncs in one table: what each reads, what it writes, how it confirms, and when."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import quote

from app import pipeline
from app.automations.rules.bodies import invoice_key
from app.schedules import Schedule

Item = Mapping[str, Any]
INVOICE_DAYS, SERVICE_DAYS = 3, 7


@dataclass(frozen=True, slots=True)
class Request:
    """A call to be made: to which system, where, with what."""

    system: str
    method: str
    path: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sync:
    """One scheduled pull.

    `params(today)` of the read · `write(item, today)` · `confirm(item, target_id)` ·
    `skip(item)`: whether there is nothing to do · `version(item)`: what tells two states of the
    same source id apart ('' where an id is written once and for ever).
    """

    name: str
    label: str
    source: str
    path: str
    target: str
    write: Callable[[Item, date], Request]
    confirm: Callable[[Item, str], Request]
    params: Callable[[date], dict[str, str]] = lambda _: {}
    skip: Callable[[Item], bool] = lambda _: False
    version: Callable[[Item], str] = lambda _: ""
    needs_target_id: bool = True
    # The Idempotency-Key by source id, where somebody else may make the same write.
    own_key: Callable[[str], str] | None = None

    @property
    def job_type(self) -> str:
        """The name under which runs are stored: sync.crm_operacao."""
        return f"sync.{self.name}"

    @property
    def job(self) -> str:
        """The name in the terminal and among the slots: sync-crm-operacao."""
        return f"sync-{self.name.replace('_', '-')}"

    @property
    def schedule(self) -> Schedule:
        """When it runs, as the map of the system says."""
        return next(slot.schedule for slot in pipeline.SLOTS if slot.name == self.job)


def _part(value: Any) -> str:
    """An id as one part of a path, whatever the source calls an id."""
    return quote(str(value), safe="")


def _write_schedule(item: Item, _today: date) -> Request:
    body = {"client_id": item.get("client_id"), "crm_contract_id": item.get("contract_id")}
    same = ("service_type", "start_date", "end_date", "preferences")
    body |= {name: item.get(name) for name in same}
    return Request("operacao", "POST", "/api/v1/schedules", body)


def _confirm_schedule(item: Item, target_id: str) -> Request:
    path = f"/api/v1/sync/confirm/{_part(item['id'])}"
    return Request("crm", "POST", path, {"operacao_schedule_id": number(target_id)})


def _last_days(today: date) -> dict[str, str]:
    start = today - timedelta(days=SERVICE_DAYS)
    return {"start_date": start.isoformat(), "end_date": today.isoformat()}


def _write_invoice(item: Item, today: date) -> Request:
    body = {
        "client_id": item.get("client_id"),
        "operacao_service_id": item["id"],
        "items": [_service_line(item), *map(_extra_line, item.get("extras") or ())],
        "due_date": (today + timedelta(days=INVOICE_DAYS)).isoformat(),
    }
    return Request("financeiro", "POST", "/api/invoices", body)


def _service_line(item: Item) -> dict[str, Any]:
    return {
        "description": item.get("service_type"),
        "hours": item.get("hours"),
        "unit_price": item.get("hourly_rate"),
        "total": item.get("total"),
    }


def _extra_line(extra: Any) -> dict[str, Any]:
    """An extra of the service; sources write its price as amount, value or total."""
    given = extra if isinstance(extra, dict) else {"description": str(extra)}
    prices = (given.get(name) for name in ("total", "amount", "value", "price"))
    total = next((price for price in prices if price is not None), None)
    return {
        "description": given.get("description") or given.get("name"),
        "hours": given.get("hours"),
        "unit_price": given.get("unit_price", total),
        "total": total,
    }


def _confirm_invoice(item: Item, target_id: str) -> Request:
    path = f"/api/v1/services/{_part(item['id'])}/billed"
    return Request("operacao", "PUT", path, {"invoice_id": number(target_id)})


def _write_billing(item: Item, _today: date) -> Request:
    body = {
        "crm_client_id": item.get("client_id"),
        "crm_contract_id": item["id"],
        "billing_type": item.get("billing_type"),
        "amount": item.get("value"),
        "payment_method": item.get("payment_method"),
    }
    return Request("financeiro", "POST", "/api/billing/setup", body)


def _confirm_billing(item: Item, target_id: str) -> Request:
    path = f"/api/v1/contracts/{_part(item['id'])}/billing-setup"
    return Request("crm", "POST", path, {"financeiro_id": number(target_id)})


def _write_caregiver(item: Item, _today: date) -> Request:
    body = {
        "event_type": "caregiver.updated",
        "caregiver_id": item.get("caregiver_id"),
        "changes": item.get("changes"),
        "timestamp": item.get("updated_at"),
    }
    return Request("crm", "POST", "/api/v1/events", body)


def _confirm_caregiver(item: Item, _target_id: str) -> Request:
    return Request("cuidadores", "POST", f"/api/v1/sync/confirm/{_part(item['id'])}", {})


def fingerprint(value: Any) -> str:
    """Equal for equal JSON, whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def number(target_id: str) -> int | str:
    """An id as its system wrote it: digits were a number."""
    return int(target_id) if target_id.isascii() and target_id.isdigit() else target_id


SYNCS: dict[str, Sync] = {
    sync.name: sync
    for sync in (
        Sync(
            name="crm_operacao",
            label="CRM → Operação (agendamentos)",
            source="crm",
            path="/api/v1/sync/pending-schedules",
            target="operacao",
            write=_write_schedule,
            confirm=_confirm_schedule,
            version=lambda item: fingerprint(_write_schedule(item, date.min).body),
        ),
        Sync(
            name="operacao_financeiro",
            label="Operação → Financeiro (faturas)",
            source="operacao",
            path="/api/v1/services/completed",
            params=_last_days,
            skip=lambda item: bool(item.get("billed")),
            target="financeiro",
            write=_write_invoice,
            confirm=_confirm_invoice,
            own_key=invoice_key,
        ),
        Sync(
            name="crm_financeiro",
            label="CRM → Financeiro (cobrança)",
            source="crm",
            path="/api/v1/sync/pending-billing-setup",
            target="financeiro",
            write=_write_billing,
            confirm=_confirm_billing,
            version=lambda item: fingerprint(_write_billing(item, date.min).body),
        ),
        Sync(
            name="cuidadores_crm",
            label="Cuidadores → CRM (cadastro de cuidadores)",
            source="cuidadores",
            path="/api/v1/sync/pending-updates",
            target="crm",
            write=_write_caregiver,
            confirm=_confirm_caregiver,
            version=lambda item: fingerprint(_write_caregiver(item, date.min).body),
            needs_target_id=False,
        ),
    )
}
BY_JOB_TYPE = {sync.job_type: sync for sync in SYNCS.values()}
FULL = "full"

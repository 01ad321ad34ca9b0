"""The endpoints of the internal systems, as one table."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from tests.partners.people import CAMPAIGNS, HOURLY_RATES
from tests.partners.rows import Answer, Call, Row, Rows, digits

Endpoint = Callable[[Rows, Call, Mapping[str, str]], Answer]
STAGES = ("new", "contacted", "qualified", "proposal", "client")
NIGHT, WEEKEND, HOLIDAY = 0.20, 0.25, 0.50


def answer(routes: "list[Route]", rows: Rows, call: Call) -> Answer:
    """Find the endpoint and let it answer: 404 without one, 405 for a wrong method."""
    known_path = False
    for method, pattern, endpoint in routes:
        found = pattern.fullmatch(call.path)
        if found and method == call.method:
            return endpoint(rows, call, found.groupdict())
        known_path = known_path or found is not None
    if known_path:
        return 405, {"error": "Method not allowed"}
    return 404, {"error": "Not found"}


def _create(table: str, *required: str, **defaults: Any) -> Endpoint:
    """A POST that adds a row; what is required and missing is told with 422."""

    def create(rows: Rows, call: Call, _: Mapping[str, str]) -> Answer:
        values = {name: value for name, value in call.json().items() if name != "id"}
        missing = [name for name in required if values.get(name) in (None, "")]
        if missing:
            details = {name: [f"The {name} field is required."] for name in missing}
            return 422, {"error": "Validation failed", "details": details}
        return 201, {"data": rows.insert(table, {**defaults, **values})}

    return create


def _create_under(table: str, parent: str, *required: str) -> Endpoint:
    """A POST that adds a row to a parent row: 404 without the parent."""
    create = _create(table, *required)

    def create_under(rows: Rows, call: Call, parts: Mapping[str, str]) -> Answer:
        if rows.get(parent, parts["id"]) is None:
            return _missing(parent)
        status, document = create(rows, call, parts)
        if status == 201:
            document["data"][f"{parent.removesuffix('s')}_id"] = parts["id"]
        return status, document

    return create_under


def _list(table: str) -> Endpoint:
    """A GET of all rows of a table; with `per_page` it comes in pages."""

    def show(rows: Rows, call: Call, _: Mapping[str, str]) -> Answer:
        return 200, _page(rows.all(table), call.query)

    return show


def _by_phone(table: str) -> Endpoint:
    def find(rows: Rows, call: Call, _: Mapping[str, str]) -> Answer:
        found, phone = rows.all(table), call.query.get("phone")
        if phone is not None:
            found = [row for row in found if digits(row.get("phone", "")) == digits(phone)]
        return 200, _page(found, call.query)

    return find


def _show(table: str) -> Endpoint:
    def show(rows: Rows, call: Call, parts: Mapping[str, str]) -> Answer:
        row = rows.get(table, parts["id"])
        return (200, {"data": row}) if row else _missing(table)

    return show


def _change(table: str) -> Endpoint:
    def change(rows: Rows, call: Call, parts: Mapping[str, str]) -> Answer:
        row = rows.get(table, parts["id"])
        if row is None:
            return _missing(table)
        row.update({k: v for k, v in call.json().items() if k != "id"})
        return 200, {"data": row}

    return change


def _confirm(table: str) -> Endpoint:
    """A pending item is done: it leaves the list, and doing it again changes nothing."""

    def confirm(rows: Rows, call: Call, parts: Mapping[str, str]) -> Answer:
        done = f"confirmed_{table}"
        item = rows.remove(table, parts["id"])
        if item is None:
            again = rows.get(done, parts["id"])
            return (200, {"data": again}) if again else _missing(table)
        return 200, {"data": rows.insert(done, {**item, "confirmation": call.json()})}

    return confirm


def _advance(rows: Rows, call: Call, parts: Mapping[str, str]) -> Answer:
    lead = rows.get("leads", parts["id"])
    if lead is None:
        return _missing("leads")
    place = STAGES.index(lead["stage"]) if lead.get("stage") in STAGES else 0
    lead["stage"] = call.json().get("stage") or STAGES[min(place + 1, len(STAGES) - 1)]
    return 200, {"data": lead}


def _completed_services(rows: Rows, call: Call, _: Mapping[str, str]) -> Answer:
    first = call.query.get("start_date", "")[:10] or str(date.min)
    last = call.query.get("end_date", "")[:10] or str(date.max)
    services = [row for row in rows.all("services") if first <= row["completed_at"][:10] <= last]
    return 200, _page(services, call.query)


def _bill_service(rows: Rows, call: Call, parts: Mapping[str, str]) -> Answer:
    service = rows.get("services", parts["id"])
    if service is None:
        return _missing("services")
    service.update(billed=True, invoice_id=call.json().get("invoice_id"))
    return 200, {"data": service}


def _price(rows: Rows, call: Call, _: Mapping[str, str]) -> Answer:
    asked = call.json()
    hours = float(asked.get("duration_hours") or asked.get("hours") or 0)
    rate = HOURLY_RATES.get(str(asked.get("service_type")), 35.0)
    extra = NIGHT * bool(asked.get("is_night")) + WEEKEND * bool(asked.get("is_weekend"))
    unit = round(rate * (1 + extra + HOLIDAY * bool(asked.get("is_holiday"))), 2)
    price = {"hours": hours, "unit_price": unit, "total": round(unit * hours, 2)}
    return 200, {"data": {**price, "currency": "BRL"}}


def _find_campaign(rows: Rows, call: Call, _: Mapping[str, str]) -> Answer:
    name = call.query.get("utm_campaign") or call.query.get("campaign") or ""
    if name not in CAMPAIGNS:
        return _missing("campaigns")
    return 200, {"data": {"id": CAMPAIGNS.index(name) + 1, "name": name, "status": "active"}}


def _alive(rows: Rows, call: Call, _: Mapping[str, str]) -> Answer:
    return 200, {"status": "ok"}


def _missing(table: str) -> Answer:
    return 404, {"error": f"{table.removesuffix('s').replace('_', ' ').capitalize()} not found"}


def _page(found: list[Row], query: Mapping[str, str]) -> dict[str, Any]:
    size = int(query.get("per_page", 0)) or max(len(found), 1)
    page = int(query.get("page", 1))
    last_page = max(-(-len(found) // size), 1)
    meta = {"current_page": page, "last_page": last_page, "per_page": size, "total": len(found)}
    return {"data": found[(page - 1) * size : page * size], "meta": meta}


Route = tuple[str, re.Pattern[str], Endpoint]
TABLE: dict[str, list[tuple[str, str, Endpoint]]] = {
    "crm": [
        ("GET", "/api/v1/leads", _by_phone("leads")),
        ("POST", "/api/v1/leads", _create("leads", "phone", stage="new", interaction_count=0)),
        ("GET", "/api/v1/leads/{id}", _show("leads")),
        ("PUT", "/api/v1/leads/{id}", _change("leads")),
        ("POST", "/api/v1/leads/{id}/advance", _advance),
        ("GET", "/api/v1/leads/{id}/interactions", _list("interactions")),
        ("POST", "/api/v1/leads/{id}/interactions", _create_under("interactions", "leads")),
        ("GET", "/api/v1/deals", _list("deals")),
        ("POST", "/api/v1/deals", _create("deals", "lead_id")),
        ("POST", "/api/v1/events", _create("events", "event_type")),
        ("GET", "/api/v1/sync/pending-schedules", _list("pending_schedules")),
        ("POST", "/api/v1/sync/confirm/{id}", _confirm("pending_schedules")),
        ("GET", "/api/v1/sync/pending-billing-setup", _list("pending_billing_setups")),
        ("POST", "/api/v1/contracts/{id}/billing-setup", _confirm("pending_billing_setups")),
    ],
    "operacao": [
        ("GET", "/api/v1/schedules", _list("schedules")),
        (
            "POST",
            "/api/v1/schedules",
            _create("schedules", "client_id", "crm_contract_id", "service_type", "start_date"),
        ),
        ("GET", "/api/v1/services/completed", _completed_services),
        ("PUT", "/api/v1/services/{id}/billed", _bill_service),
    ],
    "financeiro": [
        ("GET", "/api/invoices", _list("invoices")),
        ("POST", "/api/invoices", _create("invoices", "client_id", "items", "due_date")),
        ("POST", "/api/billing/setup", _create("billing_setups", "crm_client_id", "billing_type")),
        ("GET", "/api/clients", _list("clients")),
        ("POST", "/api/clients", _create("clients")),
        ("POST", "/api/pricing/calculate", _price),
    ],
    "cuidadores": [
        ("GET", "/api/v1/sync/pending-updates", _list("pending_updates")),
        ("POST", "/api/v1/sync/confirm/{id}", _confirm("pending_updates")),
    ],
    "marketing": [
        ("GET", "/api/v1/campaigns/find", _find_campaign),
        ("POST", "/api/v1/attribution", _create("attributions")),
    ],
    "atendimento": [
        ("GET", "/api/v1/conversations", _by_phone("conversations")),
        ("POST", "/api/v1/conversations", _create("conversations", "phone", status="open")),
        (
            "POST",
            "/api/v1/conversations/{id}/messages",
            _create_under("messages", "conversations"),
        ),
    ],
    "site": [],
    "documentos": [],
}


def _compile(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template))


ROUTES: dict[str, list[Route]] = {
    system: [
        (method, _compile(template), endpoint)
        for method, template, endpoint in [*table, ("GET", "/health", _alive), ("GET", "/", _alive)]
    ]
    for system, table in TABLE.items()
}

"""What waits in the systems for the four syncs."""

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.partners.people import HOURLY_RATES, person, service_type
from tests.partners.rows import Row, Rows

ZONE = ZoneInfo("America/Sao_Paulo")


def _schedule(chance: random.Random, number: int) -> Row:
    start = _today() + timedelta(days=chance.randrange(1, 20))
    preferences = {"gender": chance.choice(("F", "M", None)), "pets": chance.random() < 0.3}
    return {
        "id": number,
        "client_id": 5_000 + number,
        "contract_id": 7_000 + number,
        "service_type": service_type(chance),
        "start_date": f"{start} 08:00:00",
        "end_date": f"{start + timedelta(days=30)} 20:00:00",
        "preferences": preferences,
    }


def _service(chance: random.Random, number: int) -> Row:
    kind, hours = service_type(chance), chance.choice((4, 6, 8, 12))
    done = _today() - timedelta(days=chance.randrange(7))
    rate = HOURLY_RATES[kind]
    meal = {"description": "Vale-transporte", "amount": 18.5}
    return {
        "id": number,
        "client_id": 5_000 + number,
        "service_type": kind,
        "hours": hours,
        "hourly_rate": rate,
        "total": rate * hours,
        "extras": [meal] if chance.random() < 0.3 else [],
        "billed": False,
        "completed_at": f"{done} 20:00:00",
    }


def _billing_setup(chance: random.Random, number: int) -> Row:
    return {
        "id": number,
        "client_id": 5_000 + number,
        "billing_type": chance.choice(("monthly", "weekly", "per_service")),
        "value": round(chance.uniform(800, 6_000), 2),
        "payment_method": chance.choice(("pix", "boleto", "credit_card")),
    }


def _caregiver_update(chance: random.Random, number: int) -> Row:
    who = person(chance)
    return {
        "id": number,
        "caregiver_id": 300 + number,
        "changes": {"phone": who.phone, "status": chance.choice(("active", "on_leave"))},
        "updated_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _today() -> date:
    return datetime.now(ZONE).date()


PENDING: dict[str, tuple[str, str, Callable[[random.Random, int], Row]]] = {
    "schedules": ("crm", "pending_schedules", _schedule),
    "services": ("operacao", "services", _service),
    "billing": ("crm", "pending_billing_setups", _billing_setup),
    "caregivers": ("cuidadores", "pending_updates", _caregiver_update),
}


def sow(books: dict[str, Rows], counts: dict[str, int], seed: int) -> dict[str, int]:
    """Add so many of each kind to the systems that hold them; tells how many wait there now."""
    waiting: dict[str, int] = {}
    for kind, (system, table, make) in PENDING.items():
        rows, chance = books[system], random.Random(f"{seed}-{kind}")
        first = len(rows.all(table)) + len(rows.all(f"confirmed_{table}")) + 1
        for number in range(first, first + int(counts.get(kind, 0))):
            rows.insert(table, make(chance, number))
        waiting[kind] = len(rows.all(table))
    return waiting

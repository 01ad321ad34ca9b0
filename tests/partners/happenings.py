"""The bodies of what happens in the business, as each system sends them."""

import random
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from tests.partners import people
from tests.partners.hub import Hub
from tests.partners.rows import Row

Happening = Callable[[Hub, random.Random, int], Awaitable[int]]


def lead(chance: random.Random, number: int) -> Row:
    """A form of the site."""
    who, (source, medium) = people.person(chance), chance.choice(people.SOURCES)
    return {
        "name": who.name,
        "phone": who.phone,
        "email": who.email,
        "message": chance.choice(people.QUESTIONS),
        "utm_source": source,
        "utm_medium": medium,
        "utm_campaign": chance.choice((*people.CAMPAIGNS, "")),
        "page_url": "https://carinho.com.vc/contato",
        "form_id": f"contato-{number}",
    }


def client(chance: random.Random, number: int) -> Row:
    """A client registered or changed in the CRM."""
    who = people.person(chance)
    return {
        "id": 5_000 + number,
        "name": who.name,
        "email": who.email,
        "phone": who.phone,
        "cpf": who.cpf,
        # The stream's clients come without a lead: the CRM's books hold only what they were told.
        "lead_id": None,
        "service_type": people.service_type(chance),
        "estimated_value": round(chance.uniform(900, 7_000), 2),
    }


def service(chance: random.Random, number: int) -> Row:
    """A service done."""
    who, carer = people.person(chance), people.person(chance)
    return {
        "id": 9_000 + number,
        "client_id": 5_000 + number,
        "client_name": who.name,
        "client_phone": who.phone,
        "client_email": who.email,
        "caregiver_id": chance.randrange(300, 400),
        "caregiver_name": carer.name,
        "service_type": people.service_type(chance),
        "duration_hours": chance.choice((4, 6, 8, 12)),
        "completed_at": _now(),
        "is_recurring": chance.random() < 0.5,
        "is_weekend": chance.random() < 0.25,
        "is_night": chance.random() < 0.3,
        "is_holiday": chance.random() < 0.05,
    }


def payment(chance: random.Random, number: int) -> Row:
    """A payment that came, or one in five times did not."""
    return {
        "id": 70_000 + number,
        "invoice_id": 20_000 + number,
        "client_id": 5_000 + number,
        "amount": round(chance.uniform(120, 3_000), 2),
        "method": chance.choice(("pix", "boleto", "credit_card")),
        "status": "received" if chance.random() < 0.8 else "failed",
        "paid_at": _now(),
    }


def payout(chance: random.Random, number: int) -> Row:
    """A carer was paid."""
    today = datetime.now(UTC).date()
    return {
        "id": 80_000 + number,
        "caregiver_id": chance.randrange(300, 400),
        "amount": round(chance.uniform(300, 2_500), 2),
        "period_start": str(today - timedelta(days=15)),
        "period_end": str(today),
        "processed_at": _now(),
    }


def feedback(chance: random.Random, number: int) -> Row:
    """A client's opinion."""
    return {
        "id": 60_000 + number,
        "service_id": 9_000 + number,
        "caregiver_id": chance.randrange(300, 400),
        "client_id": 5_000 + number,
        "rating": chance.choices((1, 2, 3, 4, 5), (1, 1, 3, 8, 12))[0],
        "comment": chance.choice(people.COMMENTS),
        "channel": chance.choice(("whatsapp", "app", "email")),
    }


def inbound(chance: random.Random, number: int) -> Row:
    """Somebody writes on WhatsApp."""
    who = people.person(chance)
    return {
        "type": "ReceivedCallback",
        "instanceId": "PARTNERS",
        "phone": who.phone,
        "fromMe": False,
        "isGroup": False,
        "messageId": f"{chance.getrandbits(80):020X}",
        "momment": int(time.time() * 1_000),
        "senderName": who.name,
        "chatName": who.name,
        "status": "RECEIVED",
        "connectedPhone": "5511940000000",
        "text": {"message": chance.choice(people.QUESTIONS)},
    }


def schedule(chance: random.Random, number: int) -> Row:
    """A service planned in the CRM."""
    start = datetime.now(UTC).date() + timedelta(days=chance.randrange(1, 10))
    return {
        "id": 30_000 + number,
        "client_id": 5_000 + number,
        "contract_id": 7_000 + number,
        "service_type": people.service_type(chance),
        "start_date": f"{start} 08:00:00",
        "end_date": f"{start} 20:00:00",
        "preferences": {"gender": chance.choice(("F", "M")), "pets": chance.random() < 0.3},
    }


def started(chance: random.Random, number: int) -> Row:
    """A carer has begun."""
    carer = chance.randrange(300, 400)
    return {"id": 9_000 + number, "caregiver_id": carer, "started_at": _now()}


def caregiver(chance: random.Random, number: int) -> Row:
    """A carer is free."""
    who = people.person(chance)
    return {"id": 300 + number, "name": who.name, "phone": who.phone, "available_from": _now()}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")

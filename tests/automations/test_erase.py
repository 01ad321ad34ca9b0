"""Erase a person whom automations have written to: no table names them any more."""

from __future__ import annotations

import json

import pytest

from app.automations.rules.flows import FEEDBACK_AFTER
from app.db import db, reading
from tests.automations.office import PHONE, Office
from tests.messages.mailbox import Mailbox

CLIENT = {
    "id": 5001, "name": "Helena Souza", "email": "helena@exemplo.com.br", "cpf": "529.982.247-25",
    "phone": "(11) 98765-4321", "lead_id": 7, "service_type": "cuidador_diurno",
}  # fmt: skip
NAMES = {"cpf": "52998224725", "email": "helena@exemplo.com.br", "phone": PHONE}
OTHER = {
    "id": 5002, "name": "Rita Prado", "email": "rita@exemplo.com.br", "cpf": "111.444.777-35",
    "phone": "(21) 97777-1234", "lead_id": 8,
}  # fmt: skip


def everything() -> str:
    """All rows of all tables but the audit trail, whose entries nobody may change."""
    found = []
    with reading() as c:
        for table in db.metadata.sorted_tables:
            if table.name != "audit_entries":
                for row in c.execute(table.select()):
                    found += [f"{table.name}.{k}={v!s}" for k, v in row._mapping.items()]
    return "\n".join(found)


@pytest.mark.parametrize(
    "known_by",
    [("--phone", "11 8765-4321"), ("--email", "HELENA@exemplo.com.br"), ("--cpf", "52998224725")],
)
def test_no_table_names_them_any_more(
    office: Office, mailbox: Mailbox, known_by: tuple[str, str]
) -> None:
    office.receive("lead.created", {**CLIENT, "lead_id": None})
    events = [office.receive("client.registered", each, "crm") for each in (CLIENT, OTHER)]
    for event in events:
        office.pass_time(event, FEEDBACK_AFTER)
    office.work()
    assert (len(office.sent()), len(mailbox.mails)) == (3, 2)
    marks = ("Helena", "helena@", PHONE, "98765", "529.982", "52998224725")
    assert any(mark in everything() for mark in marks)
    done = office.app.test_cli_runner().invoke(args=["privacy", "erase", *known_by])
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert told["erased"]["messages"] == 3
    assert told["also_known_by"] == {
        kind: [value] for kind, value in NAMES.items() if f"--{kind}" != known_by[0]
    }
    left = [line for line in everything().splitlines() if any(mark in line for mark in marks)]
    assert left == []
    kept = everything()
    assert "Rita" in kept and "rita@exemplo.com.br" in kept and "5521977771234" in kept

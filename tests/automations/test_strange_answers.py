"""Answers that no outcome could keep: judged at once, so that nothing is sent a second time."""

from __future__ import annotations

import pytest

from tests.automations.office import Office
from tests.automations.test_new_lead import LEAD

NESTED = "[" * 300 + "]" * 300
STRANGE = [NESTED, r'"\ud800"', r'"a\u0000b"', "NaN", "9223372036854775808"]


@pytest.mark.usefixtures("any_database")
@pytest.mark.parametrize("value", STRANGE, ids=["nested", "half a pair", "nul", "nan", "large"])
def test_a_look_whose_answer_is_strange_is_tried_again(office: Office, value: str) -> None:
    text = f'{{"data": [{{"id": {value}}}]}}'
    office.partners.mode("crm", "answer", method="GET", text=text, times=1)
    event = office.receive("lead.created", LEAD)
    office.work()
    assert set(office.steps(event).values()) == {"done"}
    (look,) = [row for row in office.of_event(event) if row.step == "find_lead"]
    tries = [(each.outcome, each.error_class) for each in office.attempts(look.id)]
    assert tries == [("retry", "bad_answer"), ("sent", "")]
    assert len(office.partners.rows("crm", "leads")) == 1
    office.consistent()


@pytest.mark.usefixtures("any_database")
@pytest.mark.parametrize("value", STRANGE, ids=["nested", "half a pair", "nul", "nan", "large"])
def test_a_write_whose_answers_stay_strange_is_given_up(office: Office, value: str) -> None:
    text = f'{{"data": {{"id": {value}}}}}'
    office.partners.mode("crm", "answer", method="POST", text=text)
    event = office.receive("lead.created", LEAD)
    office.work()
    assert office.steps(event)["save_lead"] == "failed"
    (write,) = [row for row in office.of_event(event) if row.step == "save_lead"]
    tries = [(each.outcome, each.error_class) for each in office.attempts(write.id)]
    assert tries == [("retry", "bad_answer"), ("retry", "bad_answer"), ("dead", "bad_answer")]
    calls = office.partners.book("crm", path="/api/v1/leads", method="POST")
    assert len(calls) == 3
    assert {call["headers"]["Idempotency-Key"] for call in calls} == {"lead:5511987654321"}
    office.consistent()

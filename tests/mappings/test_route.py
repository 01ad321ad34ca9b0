"""Changing where events go."""

import pytest

from app.db import reading
from app.errors import Invalid
from app.mappings import queries
from app.mappings.actions import set_routes
from tests.mappings.cases import ANA


def active() -> dict[str, bool]:
    with reading() as connection:
        return {item.system: item.active for item in queries.routes(connection, "lead.created")}


@pytest.mark.usefixtures("any_database", "app_context")
def test_it_sends_a_type_to_exactly_the_systems_named() -> None:
    set_routes("lead.created", ["crm", "marketing"], by=ANA, now=1)
    assert active() == {"crm": True, "marketing": True}
    set_routes("lead.created", ["site", "crm", "crm"], by=ANA, now=2)
    assert active() == {"crm": True, "marketing": False, "site": True}
    set_routes("lead.created", ["marketing"], by=ANA, now=3)
    assert active() == {"crm": False, "marketing": True, "site": False}


@pytest.mark.usefixtures("app_context")
def test_another_type_is_left_alone() -> None:
    set_routes("lead.created", ["crm"], by=ANA, now=1)
    set_routes("lead.updated", ["marketing"], by=ANA, now=1)
    assert active() == {"crm": True}


@pytest.mark.usefixtures("app_context")
def test_an_unknown_system_is_refused_and_nothing_changes() -> None:
    set_routes("lead.created", ["crm"], by=ANA, now=1)
    with pytest.raises(Invalid) as refused:
        set_routes("lead.created", ["marketing", "erp"], by=ANA, now=2)
    assert list(refused.value.details) == ["target_system"]
    assert active() == {"crm": True}

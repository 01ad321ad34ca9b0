"""What the hub starts with."""

import pytest

from app.db import reading
from app.mappings import queries
from app.mappings.actions import save_mapping, set_routes
from app.mappings.rules import check
from app.mappings.seed import MAPPINGS, ROUTES, seed
from tests.mappings.cases import ANA


@pytest.mark.usefixtures("any_database", "app_context")
def test_it_loads_every_route_and_mapping_once() -> None:
    seed(now=1)
    seed(now=2)
    with reading() as connection:
        routes = queries.routes(connection)
        mappings = queries.all_newest(connection)
    assert len(routes) == sum(map(len, ROUTES.values())) == 33
    assert all(route.active for route in routes)
    assert {(item.event_type, item.system): item.document for item in mappings} == MAPPINGS
    assert {str(item.version) for item in mappings} == {"1.0.0"}
    assert {item.created_at for item in mappings} == {1}


@pytest.mark.usefixtures("app_context")
def test_it_leaves_alone_what_operators_changed() -> None:
    seed(now=1)
    set_routes("lead.created", ["crm"], by=ANA, now=2)
    save_mapping("lead.created", "crm", {"only": "name"}, by=ANA, now=2)
    seed(now=3)
    with reading() as connection:
        active = {item.system: item.active for item in queries.routes(connection, "lead.created")}
        newest = queries.newest(connection, "lead.created", "crm")
    assert active == {"crm": True, "marketing": False}
    assert newest is not None
    assert (str(newest.version), newest.document) == ("1.0.1", {"only": "name"})


@pytest.mark.parametrize("pair", MAPPINGS, ids="→".join)
def test_each_seeded_mapping_is_right_and_has_its_route(pair: tuple[str, str]) -> None:
    assert check(MAPPINGS[pair]) == []
    assert pair[1] in ROUTES[pair[0]]

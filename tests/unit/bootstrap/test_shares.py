"""Assignment of tables and rows to the services that move to databases of their own."""

from collections import Counter

import pytest

from app.bootstrap.container import build, sample_settings
from app.bootstrap.schema import branches, tables
from app.bootstrap.services import SERVICES
from app.bootstrap.shares import CORE, shares
from app.core.database_split.share import Ownership

STAYS = {"user_versions"}
"""Tables that no service takes along."""


def test_each_of_the_cores_tables_is_assigned() -> None:
    [core] = branches([])
    assert CORE.keys() == core.metadata.tables.keys()


def test_each_table_moves_and_tables_of_a_service_with_it_alone() -> None:
    taken = Counter(table.name for share in shares().values() for table in share.tables)
    assert taken.keys() == {table.name for table in tables()} - STAYS
    of_services = [table.name for branch in branches()[1:] for table in branch.metadata.sorted_tables]
    assert {name: taken[name] for name in of_services} == dict.fromkeys(of_services, 1)


def values(table: str, ownership: Ownership) -> list[str]:
    parts = [each for share in shares().values() for each in share.parts(ownership)]
    return [value for taken, rows in parts if taken.name == table for value in rows.values]


def test_each_job_event_and_delivery_has_one_service_or_belongs_to_all() -> None:
    container = build(sample_settings())
    background = container.background
    consumers = {name for dispatcher in background.transport._dispatchers for name in dispatcher._consumers}
    events = {event.name for service in container.services.values() for event in service.events}
    for table, known in (("outbox", events), ("handled_events", consumers), ("failed_deliveries", consumers)):
        own, of_all = values(table, "share"), set(values(table, "copied"))
        assert sorted(own) == sorted(set(own)), table
        assert known <= {*own, *of_all}, table
    kinds = values("jobs", "share")
    assert sorted(kinds) == sorted(set(kinds))
    # The kind of a former release, which queues others.
    assert {*background.runner.kinds} - {"erasure"} == {*kinds, *values("jobs", "copied")}


@pytest.mark.parametrize("service", SERVICES)
def test_jobs_with_side_effects_are_known(service: str) -> None:
    wired = build(sample_settings()).services[service]
    assert set(shares()[service].side_effects) == set(wired.side_effects)


def test_no_column_draws_from_a_sequence_which_would_not_be_replicated() -> None:
    for table in tables():
        for column in table.columns:
            assert column.identity is None, column
            assert column.default is None or not column.default.is_sequence, column
            is_number = column.type.python_type is int
            assert not (column.primary_key and is_number and column is table.autoincrement_column), column

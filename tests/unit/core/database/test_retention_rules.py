"""Retention: every table has a rule, every rule an index, and the documentation the same rules."""

from pathlib import Path
from typing import cast

from sqlalchemy import Table

from app.bootstrap.schema import tables
from app.core.database.retention import ExpiryRule, table
from tests.support.retention import RULES

DOCUMENT = Path(__file__).parents[4] / "docs/operations.md"


def test_every_table_has_a_rule() -> None:
    assert {rule.table.__tablename__ for rule in RULES} == {table.name for table in tables()}


def test_expired_rows_are_found_by_an_index() -> None:
    for rule in RULES:
        if isinstance(rule, ExpiryRule):
            indexes = cast(Table, rule.table.__table__).indexes
            assert rule.since.key in {next(iter(index.columns)).key for index in indexes}, rule


def test_the_documentation_has_the_rules_that_are_applied() -> None:
    assert table(RULES) in DOCUMENT.read_text(), "docs/operations.md needs what retention.table(RULES) returns"

"""The source is asked for what it has."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from concord.contracts.model import Column
from concord.contracts.tables import ORDERS
from concord.contracts.types import TEXT
from concord.reconcile.extract import SourceExtract

CHANNEL = Column("channel", TEXT, nullable=True, may_be_absent=True)


@dataclass
class Reader:
    """A table with these columns, and no rows."""

    columns: tuple[str, ...]
    asked: list[str] = field(default_factory=list)

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        self.asked.append(statement)
        return [(name,) for name in self.columns] if "pg_attribute" in statement else []


@pytest.mark.parametrize("there", [(), ("channel",)])
def test_a_column_that_postgresql_may_lack_is_compared_where_it_is_there(there: tuple[str, ...]) -> None:
    reader = Reader((*ORDERS.names, *there))
    found = SourceExtract(reader).rows(ORDERS.extended(ORDERS.name, CHANNEL))  # type: ignore[arg-type]
    assert found.columns == [*ORDERS.names, *there]
    assert ("channel" in reader.asked[-1]) == bool(there)


def test_a_column_that_must_be_there_is_asked_for_without_looking() -> None:
    reader = Reader(())
    assert SourceExtract(reader).rows(ORDERS).columns == [*ORDERS.names]  # type: ignore[arg-type]
    assert len(reader.asked) == 1

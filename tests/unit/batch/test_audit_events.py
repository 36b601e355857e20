"""The audit of the clickstream adds up, or nothing is loaded."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from concord.batch.audit_events import Landed, audit_events
from concord.batch.range import between
from concord.contracts.names import EVENTS_TOPIC
from concord.contracts.position import Position
from concord.errors import Disagreement

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
RANGE = between(EVENTS_TOPIC, Position(), Position.of([(EVENTS_TOPIC, 0, 9), (EVENTS_TOPIC, 2, 4)]))
LANDED = Landed(RANGE, 42, {0: 10, 2: 5}, {0: 3}, NOON)


class Warehouse:
    """RAW with rows by table and partition; remembers what is inserted."""

    def __init__(self, stored: dict[int, int], dead: dict[int, int], audited: Sequence[int] = ()) -> None:
        self.answers = {"RAW.events ": stored, "RAW.dead_letters ": dead}
        self.audited = audited
        self.inserted: list[Any] = []

    def query(self, statement: str, parameters: Any = None) -> list[tuple[int, ...]]:
        if "event_audit" in statement:
            return [(partition,) for partition in self.audited]
        return next([*counts.items()] for table, counts in self.answers.items() if table in statement)

    def execute(self, statement: str, parameters: Any) -> None:
        self.inserted.append(parameters)


def test_one_row_per_partition_with_what_became_of_its_records() -> None:
    warehouse = Warehouse(stored={0: 6, 2: 5}, dead={0: 1})
    audit_events(warehouse, LANDED, "b1", is_whole=True)  # type: ignore[arg-type]
    at = NOON.replace(tzinfo=None)
    assert warehouse.inserted == [
        ("b1", EVENTS_TOPIC, 0, 9, 10, 6, 1, 3, "42", at),
        ("b1", EVENTS_TOPIC, 2, 4, 5, 5, 0, 0, "42", at),
    ]


def test_a_row_that_is_there_is_left_alone() -> None:
    warehouse = Warehouse(stored={0: 6, 2: 5}, dead={0: 1}, audited=[0])
    audit_events(warehouse, LANDED, "b1", is_whole=True)  # type: ignore[arg-type]
    assert [row[2] for row in warehouse.inserted] == [2]


@pytest.mark.parametrize(("stored", "dead"), [({0: 5, 2: 5}, {0: 1}), ({0: 6, 2: 5}, {0: 2}), ({0: 6}, {0: 1})])
def test_a_record_lost_or_counted_twice_is_named_and_stops_the_load(
    stored: dict[int, int], dead: dict[int, int]
) -> None:
    with pytest.raises(Disagreement, match=r"events of partition \d: .* records in the lake"):
        audit_events(Warehouse(stored, dead), LANDED, "b1", is_whole=True)  # type: ignore[arg-type]

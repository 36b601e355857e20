"""Rows are conserved: what every hop took in, and where it went."""

from collections.abc import Iterator
from dataclasses import dataclass

from concord.contracts.derived import DEAD_LETTERS, EVENT_AUDIT, PUBLICATIONS
from concord.contracts.events import EVENTS, EVENTS_LANDING
from concord.contracts.model import Dataset
from concord.contracts.names import EVENTS_TOPIC, cdc_topic
from concord.contracts.tables import TABLES, as_change, as_landed
from concord.gateways.clickhouse import ClickHouse
from concord.gateways.lake import Lake
from concord.gateways.snowflake import Snowflake


@dataclass(frozen=True)
class Flow:
    """One topic through both layers, in records. The lake counts by itself what the stream counted."""

    topic: str
    read: int
    stored: int
    dead: int
    duplicate: int
    late: int
    at_rest: int
    """Rows of the speed layer's table."""
    lake: int
    raw: int
    """Rows of the warehouse's own table."""
    set_aside: int
    """Dead letters and copies by the batch layer's own count."""

    @property
    def faults(self) -> tuple[str, ...]:
        """Every sum that does not add up, in words; empty once all hops hold the same position."""
        return tuple(
            f"{self.topic}: {what}: {left:,} ≠ {right:,}" for what, left, right in self._sums() if left != right
        )

    def _sums(self) -> Iterator[tuple[str, int, int]]:
        fates = self.stored + self.dead + self.duplicate + self.late
        yield "read ≠ stored + dead + duplicate + late", self.read, fates
        yield "stored ≠ rows at rest", self.stored, self.at_rest
        yield "read by the speed layer ≠ rows in the lake", self.read, self.lake
        yield "rows in the lake ≠ rows in RAW + dead + duplicate", self.lake, self.raw + self.set_aside
        yield "stored + late ≠ rows in RAW", self.stored + self.late, self.raw


def flows(speed: ClickHouse, lake: Lake, warehouse: Snowflake) -> tuple[Flow, ...]:
    """One flow per topic: the four tables and the events."""
    tables = [
        _flow(
            speed,
            cdc_topic(t),
            as_change(t).name,
            lake.row_count(as_landed(t).name),
            raw_rows(warehouse, t),
            dead_changes(warehouse, t),
        )
        for t in TABLES.values()
    ]
    landed = lake.row_count(EVENTS_LANDING.name)
    return (*tables, _flow(speed, EVENTS_TOPIC, EVENTS.name, landed, raw_rows(warehouse, EVENTS), set_aside(warehouse)))


def dead_changes(warehouse: Snowflake, table: Dataset) -> int:
    """Change records of the table that are no rows of it."""
    counted = warehouse.query(f"select count(*) from RAW.{DEAD_LETTERS.name} where _topic = %s", (cdc_topic(table),))
    return int(counted[0][0])


def set_aside(warehouse: Snowflake) -> int:
    """Dead letters and copies of the clickstream in every published batch."""
    counted = warehouse.query(
        f"select coalesce(sum(dead + duplicate), 0) from RAW.{EVENT_AUDIT.name} "
        f"where batch_id in (select batch_id from RAW.{PUBLICATIONS.name})"
    )
    return int(counted[0][0])


def raw_rows(warehouse: Snowflake, table: Dataset) -> int:
    """Rows that RAW has of a dataset: changes of a table, or events."""
    return int(warehouse.query(f"select count(*) from RAW.{table.name}")[0][0])


def _flow(speed: ClickHouse, topic: str, at_rest: str, lake: int, raw: int, set_aside: int) -> Flow:
    counted = speed.query(
        "select sum(records_in), sum(stored), sum(dead), sum(duplicate), sum(late) from speed_position where _topic = {topic:String}",
        {"topic": topic},
    )[0]
    rows = speed.query(f"select count() from {at_rest}")[0][0]
    read, stored, dead, duplicate, late = (int(value or 0) for value in counted)
    return Flow(topic, read, stored, dead, duplicate, late, int(rows), lake, raw, set_aside)

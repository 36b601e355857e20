"""Rows are conserved: what every hop took in, and where it went."""

from dataclasses import dataclass

from concord.contracts.events import EVENTS, EVENTS_LANDING
from concord.contracts.model import Dataset
from concord.contracts.names import EVENTS_TOPIC, cdc_topic
from concord.contracts.tables import TABLES, as_change
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
    raw: int | None
    """Rows of the warehouse's change log; None where the topic does not go there."""

    @property
    def faults(self) -> tuple[str, ...]:
        """Every sum that does not add up, in words; empty once all hops hold the same position."""
        return tuple(
            f"{self.topic}: {what}: {left:,} ≠ {right:,}"
            for what, left, right in (
                (
                    "read ≠ stored + dead + duplicate + late",
                    self.read,
                    self.stored + self.dead + self.duplicate + self.late,
                ),
                ("stored ≠ rows at rest", self.stored, self.at_rest),
                ("read by the speed layer ≠ rows in the lake", self.read, self.lake),
                ("rows in the lake ≠ rows in RAW", self.lake, self.lake if self.raw is None else self.raw),
            )
            if left != right
        )


def flows(speed: ClickHouse, lake: Lake, warehouse: Snowflake) -> tuple[Flow, ...]:
    """One flow per topic: the four tables and the events."""
    tables = [
        _flow(speed, lake, cdc_topic(t), as_change(t).name, as_change(t), raw_rows(warehouse, t))
        for t in TABLES.values()
    ]
    return (*tables, _flow(speed, lake, EVENTS_TOPIC, EVENTS.name, EVENTS_LANDING, None))


def raw_rows(warehouse: Snowflake, table: Dataset) -> int:
    """Rows of the table's change log in RAW."""
    return int(warehouse.query(f"select count(*) from RAW.{table.name}")[0][0])


def _flow(speed: ClickHouse, lake: Lake, topic: str, at_rest: str, landed: Dataset, raw: int | None) -> Flow:
    counted = speed.query(
        "select sum(records_in), sum(stored), sum(dead), sum(duplicate), sum(late) from speed_position where _topic = {topic:String}",
        {"topic": topic},
    )[0]
    rows = speed.query(f"select count() from {at_rest}")[0][0]
    read, stored, dead, duplicate, late = (int(value or 0) for value in counted)
    return Flow(topic, read, stored, dead, duplicate, late, int(rows), lake.row_count(landed.name), raw)

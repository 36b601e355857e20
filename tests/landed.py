"""What the sinks have landed of a table, as the rows that it is."""

from typing import Any

from concord.contracts.model import Dataset
from concord.contracts.tables import as_landed
from concord.gateways.lake import Lake
from concord.landed.rows import change_rows


def landed_changes(lake: Lake, table: Dataset, *ids: int) -> list[dict[str, Any]]:
    """The changes of these keys in the table's log, in Kafka's order."""
    rows: list[dict[str, Any]] = change_rows(table, lake.scan(as_landed(table).name)).to_pylist()
    return sorted((row for row in rows if row["id"] in ids), key=lambda row: row["_offset"])

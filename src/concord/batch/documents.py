"""What is known of the lake's documents goes to RAW; their bytes and texts stay where they are."""

from datetime import datetime

from concord.contracts.documents import DOCUMENT_SUBJECTS, DOCUMENTS, RAW_DOCUMENT_SUBJECTS, RAW_DOCUMENTS
from concord.contracts.model import Dataset
from concord.gateways.lake import Lake
from concord.gateways.snowflake import Snowflake

LOADED = ((DOCUMENTS, RAW_DOCUMENTS), (DOCUMENT_SUBJECTS, RAW_DOCUMENT_SUBJECTS))


def load(lake: Lake, warehouse: Snowflake, now: datetime) -> int:
    """Insert what RAW lacks; how many rows. Nothing new sends one question per table."""
    return sum(_load(lake, warehouse, here, there, now) for here, there in LOADED)


def _load(lake: Lake, warehouse: Snowflake, here: Dataset, there: Dataset, now: datetime) -> int:
    if lake.current_snapshot(here.name) is None:
        return 0
    key = ", ".join(there.key)
    held = {tuple(row) for row in warehouse.query(f"select {key} from RAW.{there.name}")}
    names = [name for name in there.names if name != "loaded_at"]
    rows = [
        row for row in lake.scan(here.name, names).to_pylist() if tuple(row[each] for each in there.key) not in held
    ]
    if rows:
        warehouse.execute_many(merge(there), [(*(_bound(row[name]) for name in names), _bound(now)) for row in rows])
    return len(rows)


def merge(there: Dataset) -> str:
    """One row, unless its key is there: two batches at once come to the same."""
    given = ", ".join(f"%s as {name}" for name in there.names)
    same = " and ".join(f"t.{name} = s.{name}" for name in there.key)
    columns, values = ", ".join(there.names), ", ".join(f"s.{name}" for name in there.names)
    return (
        f"merge into RAW.{there.name} as t using (select {given}) as s on {same} "
        f"when not matched then insert ({columns}) values ({values})"
    )


def _bound(value: object) -> object:
    """The warehouse's instants are UTC without a zone."""
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value

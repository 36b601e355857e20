"""A changed contract reaches the tables that are there: new columns and wider types, and no row is rewritten.

ClickHouse alone has no wider type by metadata: it rewrites that one column, in the background, and reads the
old values as the new type meanwhile.
"""

from collections.abc import Iterable

from concord.contracts.model import Dataset
from concord.dialects import clickhouse, snowflake
from concord.evolution.differences import Addition, Held, Step, Widening, steps
from concord.evolution.engines import CLICKHOUSE, ICEBERG, SNOWFLAKE
from concord.gateways.clickhouse import ClickHouse
from concord.gateways.lake import Lake
from concord.gateways.snowflake import Snowflake


def migrate_clickhouse(store: ClickHouse, dataset: Dataset) -> list[Step]:
    """Bring the table to its contract; nothing happens if there is none yet."""
    held = [Held(name, kind) for name, kind in store.columns(dataset.name)]
    found = steps(CLICKHOUSE, dataset.name, held, dataset) if held else []
    for step in found:
        store.command(_in_clickhouse(store.database, dataset, step))
    return found


def _in_clickhouse(database: str, dataset: Dataset, step: Step) -> str:
    match step:
        case Addition(column, _, after):
            return clickhouse.add_column(database, dataset, column, after)
        case Widening(column):
            return clickhouse.retype_column(database, dataset, column)


def migrate_lake(lake: Lake, dataset: Dataset) -> list[Step]:
    """Bring the table to its contract, in one commit of metadata; nothing happens if there is none yet."""
    if not lake.has_table(dataset.name):
        return []
    held = [Held(name, kind, not required) for name, kind, required in lake.columns(dataset.name)]
    found = steps(ICEBERG, dataset.name, held, dataset)
    if found:
        added = [(step.column.name, step.after) for step in found if isinstance(step, Addition)]
        lake.alter_table(dataset, added, [step.column.name for step in found if isinstance(step, Widening)])
    return found


def migrate_snowflake(warehouse: Snowflake, schema: str, dataset: Dataset) -> list[Step]:
    """Bring the table to its contract; nothing happens if there is none yet."""
    held = [Held(*column) for column in warehouse.columns(schema, dataset.name)]
    found = steps(SNOWFLAKE, f"{schema}.{dataset.name}", held, dataset) if held else []
    for step in found:
        for statement in _in_snowflake(schema, dataset, step):
            warehouse.execute(statement)
    return found


def _in_snowflake(schema: str, dataset: Dataset, step: Step) -> Iterable[str]:
    match step:
        case Addition(column):
            return [snowflake.add_column(dataset, column, schema)]
        case Widening(column, was, now):
            return snowflake.retype_column(dataset, column, is_other_type=was != now, schema=schema)

"""A changed contract reaches the tables that are there: new columns and wider types, and no row is rewritten.

ClickHouse alone has no wider type by metadata: it rewrites that one column, in the background, and reads the
old values as the new type meanwhile.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

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


There = Mapping[str, Sequence[tuple[str, str, bool]]]
"""A schema's tables as :meth:`concord.gateways.snowflake.Snowflake.tables` tells them."""


@dataclass(frozen=True)
class Planned:
    """One step of one table of the warehouse."""

    schema: str
    dataset: Dataset
    step: Step

    def __str__(self) -> str:
        return f"{self.schema}.{self.dataset.name}: {self.step}"


def migrate_snowflake(warehouse: Snowflake, tables: Mapping[str, Sequence[Dataset]]) -> list[Planned]:
    """Bring every table that is there to its contract; nothing is altered where one of them cannot follow."""
    planned = [
        step
        for schema, datasets in tables.items()
        for step in planned_in_snowflake(warehouse.tables(schema), schema, datasets)
    ]
    for each in planned:
        for statement in _in_snowflake(each):
            warehouse.execute(statement)
    return planned


def planned_in_snowflake(there: There, schema: str, datasets: Sequence[Dataset]) -> list[Planned]:
    """What would bring the schema's tables to their contracts. Raises :class:`Misconfigured` naming what cannot be."""
    return [
        Planned(schema, dataset, step)
        for dataset in datasets
        if dataset.name in there
        for step in steps(SNOWFLAKE, f"{schema}.{dataset.name}", [Held(*each) for each in there[dataset.name]], dataset)
    ]


def _in_snowflake(planned: Planned) -> Iterable[str]:
    schema, dataset = planned.schema, planned.dataset
    match planned.step:
        case Addition(column):
            return [snowflake.add_column(dataset, column, schema)]
        case Widening(column, was, now):
            return snowflake.retype_column(dataset, column, is_other_type=was != now, schema=schema)

"""A published table as an earlier contract had it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from concord.contracts.model import Dataset
from concord.dialects.snowflake import create_table
from concord.gateways.snowflake import Snowflake


def older(dataset: Dataset, without: str, **was: Mapping[str, Any]) -> Dataset:
    """Without one of its columns, and with others as they were: ``total_amount={"type": Decimal(8, 2)}``."""
    columns = (column for column in dataset.columns if column.name != without)
    return replace(dataset, columns=tuple(replace(column, **was.get(column.name, {})) for column in columns))


def put_back(warehouse: Snowflake, old: Dataset, schema: str = "STAGING") -> None:
    """Make the table what it was, with the rows that are in it."""
    names, table, kept = ", ".join(old.names), f"{schema}.{old.name}", "RAW.kept"
    warehouse.execute(f"create or replace table {kept} as select {names} from {table}")
    warehouse.execute(f"drop table {table}")
    warehouse.execute(create_table(old, schema))
    warehouse.execute(f"insert into {table} ({names}) select {names} from {kept}")
    warehouse.execute(f"drop table {kept}")

"""What each store knows of types, in its dialect's words."""

from concord.contracts.model import Column
from concord.dialects import clickhouse, iceberg, snowflake
from concord.evolution.differences import Engine


def _iceberg_type(column: Column) -> str:
    return iceberg.type_name(column.type)


CLICKHOUSE = Engine("ClickHouse", clickhouse.column_type, clickhouse.widens)
ICEBERG = Engine("lake", _iceberg_type, iceberg.widens)
SNOWFLAKE = Engine("Snowflake", snowflake.described_type, snowflake.widens)

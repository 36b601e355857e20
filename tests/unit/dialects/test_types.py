"""Every logical type is spelled by every dialect, as each engine means it."""

from types import ModuleType

import pytest

from concord.contracts import types
from concord.contracts.model import Column
from concord.contracts.types import BIGINT, TEXT, UUID, Category, LogicalType
from concord.dialects import clickhouse, iceberg, postgres, snowflake, spark

SPELLINGS = {
    types.BIGINT: ("bigint", "Int64", "long", "NUMBER(38, 0)", "bigint"),
    types.INTEGER: ("integer", "Int32", "int", "NUMBER(38, 0)", "int"),
    types.TEXT: ("text", "String", "string", "STRING", "string"),
    Category(("a", "b")): ("text", "String", "string", "STRING", "string"),
    types.BOOLEAN: ("boolean", "Bool", "boolean", "BOOLEAN", "boolean"),
    types.Decimal(10, 2): ("numeric(10, 2)", "Decimal(10, 2)", "decimal(10, 2)", "NUMBER(10, 2)", "decimal(10,2)"),
    types.INSTANT: ("timestamptz(3)", "DateTime64(3, 'UTC')", "timestamptz", "TIMESTAMP_NTZ", "timestamp"),
    types.DATE: ("date", "Date32", "date", "DATE", "date"),
    types.UUID: ("uuid", "UUID", "string", "STRING", "string"),
    types.JSON: ("jsonb", "String", "string", "STRING", "string"),
    types.BINARY: ("bytea", "String", "binary", "BINARY", "binary"),
}


@pytest.mark.parametrize("logical", SPELLINGS, ids=lambda logical: type(logical).__name__)
def test_type_is_spelled_as_each_engine_means_it(logical: LogicalType) -> None:
    spelled = [dialect.type_name(logical) for dialect in (postgres, clickhouse, iceberg, snowflake)]
    assert (*spelled, spark.data_type(logical).simpleString()) == SPELLINGS[logical]


def test_every_logical_type_is_tried_here() -> None:
    assert {type(logical) for logical in SPELLINGS} == set(LogicalType.__subclasses__())


@pytest.mark.parametrize("dialect", [postgres, clickhouse, iceberg, snowflake], ids=lambda dialect: dialect.__name__)
def test_unknown_type_is_refused(dialect: ModuleType) -> None:
    with pytest.raises(TypeError):
        dialect.type_name(LogicalType())


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (Column("id", BIGINT), "Int64"),
        (Column("id", BIGINT, nullable=True), "Nullable(Int64)"),
        (Column("id", UUID, nullable=True), "Nullable(UUID)"),
        (Column("name", TEXT, nullable=True), "Nullable(String)"),
        (Column("op", Category()), "LowCardinality(String)"),
        (Column("op", Category(), nullable=True), "LowCardinality(Nullable(String))"),
    ],
)
def test_clickhouse_puts_null_inside_low_cardinality(column: Column, expected: str) -> None:
    assert clickhouse.column_type(column) == expected

"""Tables and positions of the lake, before any catalog is asked."""

import pyarrow as pa
import pytest
from pyiceberg.types import BinaryType, DecimalType, LongType, TimestamptzType

from concord.contracts.events import EVENTS_LANDING
from concord.contracts.model import Column
from concord.contracts.position import Position
from concord.contracts.tables import ORDERS, as_change, in_lake
from concord.contracts.types import TEXT
from concord.errors import Misconfigured
from concord.gateways.lake import POSITION, Lake, compare, extent_of, partitions, schema_of

CHANGES = in_lake(as_change(ORDERS))
LAKE = Lake(
    uri="http://lake.invalid:1",
    warehouse="lakehouse",
    s3_endpoint="http://s3.invalid:2",
    region="us-east-1",
    access_key="key",
    secret_key="hidden",
)


def rows(*positions: tuple[str, int, int]) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(POSITION, row, strict=True)) for row in positions])


def test_a_schema_has_the_contracts_types_in_the_contracts_order() -> None:
    schema = schema_of(CHANGES)
    assert [field.name for field in schema.fields] == [*CHANGES.names]
    assert schema.find_type("total_amount") == DecimalType(10, 2)
    assert schema.find_type("created_at") == TimestamptzType()
    assert schema.find_type("id") == LongType()
    assert schema_of(in_lake(EVENTS_LANDING)).find_type("value") == BinaryType()


def test_a_key_is_required_and_what_a_delete_lacks_is_not() -> None:
    schema = schema_of(CHANGES)
    assert schema.find_field("id").required
    assert not schema.find_field("total_amount").required


def test_a_change_log_is_split_by_the_day_of_arrival() -> None:
    schema = schema_of(CHANGES)
    (field,) = partitions(CHANGES, schema).fields
    assert (str(field.transform), field.source_id) == ("day", schema.find_field("_timestamp").field_id)


def test_the_extent_is_the_lowest_and_the_highest_offset_of_each_partition() -> None:
    batches = [*rows(("a", 0, 7), ("a", 0, 9), ("a", 1, 2)).to_batches(), *rows(("a", 0, 3), ("b", 0, 1)).to_batches()]
    lowest, highest = extent_of(batches)
    assert lowest == Position.of([("a", 0, 3), ("a", 1, 2), ("b", 0, 1)])
    assert highest == Position.of([("a", 0, 9), ("a", 1, 2), ("b", 0, 1)])


def test_no_rows_hold_nothing() -> None:
    assert extent_of(rows(("a", 0, 1)).slice(1).to_batches()) == (Position(), Position())


def test_a_table_as_declared_is_accepted() -> None:
    compare("orders_changes", schema_of(CHANGES), schema_of(CHANGES))


def test_a_table_with_other_columns_is_refused_by_name() -> None:
    other = CHANGES.extended(CHANGES.name, Column("coupon", TEXT))
    with pytest.raises(Misconfigured, match="orders_changes has other columns than its contract: coupon"):
        compare("orders_changes", schema_of(CHANGES), schema_of(other))


def test_spark_gets_the_catalog_under_our_name() -> None:
    options = LAKE.spark_options()
    assert options["spark.sql.catalog.iceberg"] == "org.apache.iceberg.spark.SparkCatalog"
    assert options["spark.sql.catalog.iceberg.uri"] == "http://lake.invalid:1"
    assert options["spark.sql.catalog.iceberg.oauth2-server-uri"] == "http://lake.invalid:1/v1/oauth/tokens"
    assert options["spark.sql.catalog.iceberg.credential"] == "key:hidden"
    assert {key for key in options if not key.startswith("spark.sql.catalog.iceberg")} == set()


def test_the_secret_is_not_in_the_words_of_the_object() -> None:
    assert "hidden" not in repr(LAKE)

"""From the shop to RAW and to ClickHouse: what connectors and contracts say."""

from itertools import chain

import pytest

from concord import provision
from concord.contracts.tables import ORDERS, TABLES
from concord.dialects.clickhouse import view_name
from concord.dialects.iceberg import LAKE_DATASETS
from concord.dialects.snowflake import RAW_DATASETS
from concord.errors import Misconfigured
from concord.lineage import layers
from concord.lineage.capture import from_connectors
from concord.lineage.graph import Field, Graph

CONNECTORS = provision.connectors()
BETWEEN = (layers.judged(), layers.mirrors(), layers.documents(), layers.metrics(), layers.load(), layers.speed())
DERIVATIONS = list(chain(from_connectors(CONNECTORS), *BETWEEN))
KNOWN = Graph.of(DERIVATIONS)


def way(column: str) -> list[str]:
    dataset, _, name = column.rpartition(".")
    return [str(step.field) for step in KNOWN.upstream(Field(dataset, name))]


def test_a_column_of_a_table_comes_by_topic_and_lake() -> None:
    assert way("raw.orders.status") == [
        "raw.orders.status",
        "lake.orders_changes.value:status",
        "kafka.ecommerce.public.orders.status",
    ]
    assert KNOWN.sources(Field("raw.orders", "status")) == [Field("postgres.orders", "status")]


def test_a_field_of_an_event_comes_through_the_bytes_that_landed() -> None:
    assert way("raw.events.product_id")[1:] == [
        "lake.events.product_id",
        "lake.events_landing.value:product_id",
        "kafka.ecommerce.events.v1.value:product_id",
    ]
    assert KNOWN.sources(Field("raw.events", "product_id")) == [Field("clickstream.events", "product_id")]


def test_a_dead_letter_comes_from_the_bytes_as_a_whole() -> None:
    assert way("raw.dead_letters.reason")[1:3] == ["lake.dead_letters.reason", "lake.events_landing.value"]


def test_a_document_is_known_by_the_bytes_of_its_file() -> None:
    assert way("raw.documents.sha256") == ["raw.documents.sha256", "lake.documents.sha256"]
    assert KNOWN.sources(Field("raw.documents", "uri")) == [Field("files.documents", "bytes")]


def test_sparks_metrics_are_made_of_the_rows_of_the_lake() -> None:
    assert KNOWN.parents(Field("lake.funnel_metrics", "carted")) == (Field("lake.events", "*"),)
    assert KNOWN.loose_ends(Field("lake.customer_metrics", "total_spent")) == []


def test_the_position_is_kafkas_under_the_name_that_each_store_gives_it() -> None:
    assert way("raw.orders._partition")[1:] == [
        "lake.orders_changes._kafka_partition",
        "kafka.ecommerce.public.orders._partition",
    ]
    assert [step.step for step in KNOWN.computed(Field("raw.orders", "_partition"))] == ["Kafka"]


@pytest.mark.parametrize("dataset", [*RAW_DATASETS], ids=lambda dataset: dataset.name)
def test_every_column_of_raw_reaches_a_source_or_is_computed(dataset) -> None:
    fields = [Field(f"raw.{dataset.name}", name) for name in dataset.names]
    assert [end for field in fields for end in KNOWN.loose_ends(field)] == []


def test_datasets_have_the_columns_of_their_contracts() -> None:
    derived = KNOWN.datasets()
    for dataset in LAKE_DATASETS:
        columns = [name for name in derived[f"lake.{dataset.name}"] if ":" not in name]
        assert sorted(columns) == sorted(dataset.names)
    for dataset in RAW_DATASETS:
        assert sorted(derived[f"raw.{dataset.name}"]) == sorted(dataset.names)
    assert all(f"speed.{view_name(table)}" in derived for table in TABLES.values())


def test_a_sink_of_a_topic_without_a_contract_is_named() -> None:
    odd = {**CONNECTORS["lake-orders-sink"], "topics": "ecommerce.public.flubber"}
    with pytest.raises(Misconfigured, match="connector lake-orders-sink: no contract for the topic"):
        list(from_connectors({**CONNECTORS, "lake-orders-sink": odd}))


def test_a_connector_that_leaves_a_field_out_breaks_the_way() -> None:
    source = CONNECTORS["postgres-shop-source"]
    less = {**source, "transforms.unwrap.add.fields": "op,ts_ms,source.ts_ms"}
    known = Graph.of(from_connectors({**CONNECTORS, "postgres-shop-source": less}))
    assert known.loose_ends(Field(f"lake.{ORDERS.name}_changes", "value:__source_lsn")) == [
        "kafka.ecommerce.public.orders.__source_lsn"
    ]

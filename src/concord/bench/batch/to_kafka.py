"""Changes into Kafka as Debezium writes them, each to the partition and in the order that its offset follows from."""

from collections.abc import Iterator
from typing import Any

import duckdb
import pyarrow as pa

from concord.bench.batch.logs import partition_of
from concord.bench.generator import FLUSH_SECONDS, PRODUCER
from concord.contracts.model import Column, Dataset
from concord.contracts.names import cdc_topic
from concord.contracts.tables import CDC_METADATA
from concord.contracts.types import Decimal, Instant
from concord.errors import Unavailable
from concord.gateways.kafka import Kafka

ROWS_AT_ONCE = 50_000
INSTANT = "strftime({} at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.%gZ')"


def send(kafka: Kafka, table: Dataset, rows: pa.Table) -> None:
    """All of them by one producer. Raises :class:`Unavailable` if one was not acknowledged."""
    topic, failures = cdc_topic(table), list[str]()
    producer = kafka.producer(**PRODUCER)

    def failed(error: Any, _: Any) -> None:
        failures.append(str(error))

    for partition, key, value in records(table, rows):
        while True:
            try:
                producer.produce(topic, value=value, key=key, partition=partition, on_delivery=failed)
                break
            except BufferError:
                producer.poll(0.05)
    missing = producer.flush(FLUSH_SECONDS)
    if missing or failures:
        raise Unavailable(f"Kafka topic {topic}: {missing or len(failures):,} records were not taken", *failures[:1])


def records(table: Dataset, rows: pa.Table) -> Iterator[tuple[int, bytes, bytes]]:
    """Partition, key and value of each change, in order."""
    with duckdb.connect() as duck:
        duck.execute("set TimeZone = 'UTC'")
        for first in range(0, rows.num_rows, ROWS_AT_ONCE):
            part = rows.slice(first, ROWS_AT_ONCE)
            duck.register("part", part)
            values = duck.execute(f"select id, {document(table)} from part").fetchall()
            for partition, (key, value) in zip(partition_of(part).tolist(), values, strict=True):
                yield partition, b'{"id":%d}' % key, value.encode()


def document(table: Dataset) -> str:
    """A change's value as an expression of DuckDB over its columns."""
    fields = ", ".join(f"{column.name} := {_wire(column)}" for column in (*table.columns, *CDC_METADATA))
    return f"to_json(struct_pack({fields}, __deleted := if(__op = 'd', 'true', 'false')))"


def _wire(column: Column) -> str:
    """Instants of the shop and amounts are text, Debezium's own instants are milliseconds."""
    if isinstance(column.type, Decimal):
        return f"{column.name}::varchar"
    if isinstance(column.type, Instant):
        is_debeziums = column in CDC_METADATA
        return f"epoch_ms({column.name})" if is_debeziums else INSTANT.format(column.name)
    return column.name

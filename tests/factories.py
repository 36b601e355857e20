"""Rows and documents made from the contracts, so that a new column cannot be forgotten.

A value is a plain function of its column and of ``seed``; whatever a test is about it names itself.
"""

import hashlib
import json
import uuid
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as Number
from typing import Any

from concord.contracts.events import EVENT_TYPES, EventType
from concord.contracts.model import Column, Dataset
from concord.contracts.names import TOPIC_PARTITIONS, cdc_topic
from concord.contracts.tables import CDC_METADATA, as_change
from concord.contracts.types import (
    BigInt,
    Binary,
    Boolean,
    Category,
    Date,
    Decimal,
    Instant,
    Integer,
    Json,
    Text,
    Uuid,
)

EPOCH = datetime(2024, 6, 1, tzinfo=UTC)


def value(column: Column, seed: int = 1) -> Any:
    """A typed value for the column, never null."""
    match column.type:
        case BigInt() | Integer():
            return max(column.minimum or seed, min(seed, column.maximum or seed))
        case Decimal(_, scale):
            return (Number(seed) + Number("0.25")).quantize(Number(1).scaleb(-scale))
        case Instant():
            return EPOCH + timedelta(minutes=seed, milliseconds=seed)
        case Date():
            return date(2024, 6, 1) + timedelta(days=seed)
        case Boolean():
            return seed % 2 == 1
        case Uuid():
            return str(uuid.UUID(int=seed))
        case Json():
            return json.dumps({"seed": seed})
        case Binary():
            return f"{column.name} {seed}".encode()
        case Category(values) if values:
            return str(values[seed % len(values)])
        case Text() | Category():
            return f"{column.name} {seed}"
    raise TypeError(f"no value for {column}")


def row(dataset: Dataset, seed: int = 1, **named: Any) -> dict[str, Any]:
    """A typed row with every column filled."""
    return _named(dataset.names, {column.name: value(column, seed) for column in dataset.columns}, named)


def edge_row(dataset: Dataset, **named: Any) -> dict[str, Any]:
    """A typed row of extremes: null where allowed, largest numbers, odd text, last millisecond."""
    return _named(dataset.names, {column.name: _edge(column) for column in dataset.columns}, named)


def _edge(column: Column) -> Any:
    if column.nullable:
        return None
    match column.type:
        case BigInt():
            return (1 << 63) - 1
        case Integer():
            return (1 << 31) - 1
        case Decimal(precision, scale):
            return Number(f"{'9' * (precision - scale)}.{'9' * scale}")  # no arithmetic: it would round to 28 digits
        case Instant():
            return datetime(2023, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)
        case Text():
            return "Ωmega 'quoted' \"double\" \\ back\ttab 🎁 e\u0301"
        case _:
            return value(column)


def change_row(table: Dataset, op: str = "c", seed: int = 1, offset: int = 0, **named: Any) -> dict[str, Any]:
    """A typed row of the table's change log. A delete keeps only its key and metadata."""
    dataset = as_change(table)
    position = {"_topic": cdc_topic(table), "_partition": seed % TOPIC_PARTITIONS, "_offset": offset, "__op": op}
    gone = {name: None for name in table.names if op == "d" and name not in table.key}
    return row(dataset, seed, **{**position, **gone, **named})


def change_record(table: Dataset, op: str = "c", seed: int = 1, **named: Any) -> dict[str, Any]:
    """A change as it stands in Kafka: decimals and instants as text, metadata as Debezium adds it.

    A delete carries its key and, like the real one, worthless defaults in every other column.
    """
    typed = {column.name: value(column, seed) for column in table.columns}
    if op == "d":
        typed.update({column.name: _filler(column) for column in table.columns if column.name not in table.key})
    typed = _named(table.names, typed, {key: named.pop(key) for key in [*named] if key in table.names})
    record = {column.name: _wire(typed[column.name]) for column in table.columns}
    metadata = {column.name: _metadata(column, seed) for column in CDC_METADATA}
    return {**record, **metadata, "__op": op, "__deleted": "true" if op == "d" else "false", **named}


def change_bytes(table: Dataset, typed: dict[str, Any]) -> bytes:
    """A typed row of the table's change log as the record that it came from."""
    row = {name: _wire(typed[name]) for name in table.names}
    metadata = {column.name: _epoch(typed[column.name]) for column in CDC_METADATA}
    return to_bytes({**row, **metadata, "__deleted": str(typed["__op"] == "d").lower()})


def _epoch(typed: Any) -> Any:
    return round(typed.timestamp() * 1000) if isinstance(typed, datetime) else typed


def _filler(column: Column) -> Any:
    """What a rewritten delete holds: the schema's default."""
    if column.nullable:
        return None
    match column.type:
        case BigInt() | Integer():
            return 0
        case Decimal():
            return Number(0)
        case Instant():
            return datetime(1970, 1, 1, tzinfo=UTC)
        case _:
            return ""


def _metadata(column: Column, seed: int) -> Any:
    return _epoch(value(column, seed))


def _wire(typed: Any) -> Any:
    match typed:
        case datetime():
            return _instant(typed)
        case Number():
            return str(typed)
        case _:
            return typed


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def event(event_type: EventType = EventType.PAGE_VIEW, /, seed: int = 1, **named: Any) -> dict[str, Any]:
    """A valid document of the type with every field filled. Name a field ``...`` to leave it out."""
    contract = EVENT_TYPES[event_type]
    document = {column.name: _wire(value(column, seed)) for column in contract.columns}
    document.update(event_type=str(event_type), schema_version=1, properties={"seed": seed})
    document["event_id"] = str(uuid.UUID(bytes=hashlib.sha256(f"{event_type} {seed}".encode()).digest()[:16]))
    return {name: each for name, each in {**document, **named}.items() if each is not ...}


def event_bytes(event_type: EventType = EventType.PAGE_VIEW, /, seed: int = 1, **named: Any) -> bytes:
    return to_bytes(event(event_type, seed, **named))


def to_bytes(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _named(names: Iterable[str], values: dict[str, Any], named: dict[str, Any]) -> dict[str, Any]:
    unknown = named.keys() - set(names)
    if unknown:
        raise KeyError(f"no such column: {', '.join(sorted(unknown))}")
    return {**values, **named}

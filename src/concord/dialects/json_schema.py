"""JSON Schema 2020-12: one per event type, closed but for ``properties``."""

from dataclasses import replace
from typing import Any

from concord.contracts.events import IDENTITY, REQUIRES_USER, EventType, event_contract
from concord.contracts.model import Column
from concord.contracts.types import (
    BigInt,
    Boolean,
    Category,
    Date,
    Decimal,
    Instant,
    Integer,
    Json,
    LogicalType,
    Text,
    Uuid,
)
from concord.contracts.wire import DATE_PATTERN, INSTANT_PATTERN, UUID_PATTERN, decimal_pattern, integer_bounds

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def event_schema(event_type: EventType) -> dict[str, Any]:
    """The schema of one event type's document."""
    contract = event_contract(event_type)
    columns = [_narrowed(column, event_type) for column in contract.columns]
    properties = {column.name: _property(column) for column in columns}
    properties["event_type"] = {"const": str(event_type)}
    return {
        "$schema": DIALECT,
        "$id": f"urn:concord:events:{event_type.lower()}:v{contract.version}",
        "title": str(event_type),
        "description": contract.description,
        "type": "object",
        "required": [column.name for column in columns if not column.nullable],
        "anyOf": [{"required": [name], "properties": {name: {"not": {"type": "null"}}}} for name in IDENTITY],
        "properties": properties,
        "additionalProperties": False,
    }


def _narrowed(column: Column, event_type: EventType) -> Column:
    needs_user = column.name == "user_id" and event_type in REQUIRES_USER
    return replace(column, nullable=False) if needs_user else column


def _property(column: Column) -> dict[str, Any]:
    schema = {**_value(column.type), **_bounds(column)}
    if column.description:
        schema["description"] = column.description
    if column.nullable:
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
    return schema


def _bounds(column: Column) -> dict[str, Any]:
    declared = {
        "minimum": column.minimum,
        "maximum": column.maximum,
        "pattern": column.pattern,
        "maxLength": column.max_length,
    }
    return {key: value for key, value in declared.items() if value is not None}


def _value(logical: LogicalType) -> dict[str, Any]:
    match logical:
        case BigInt():
            return _integer(64)
        case Integer():
            return _integer(32)
        case Decimal(precision, scale):
            return {"type": "string", "pattern": decimal_pattern(precision, scale)}
        case Instant():
            return {"type": "string", "format": "date-time", "pattern": INSTANT_PATTERN}
        case Date():
            return {"type": "string", "format": "date", "pattern": DATE_PATTERN}
        case Uuid():
            return {"type": "string", "format": "uuid", "pattern": UUID_PATTERN}
        case Category(values) if values:
            return {"type": "string", "enum": [str(value) for value in values]}
        case Text() | Category():
            return {"type": "string"}
        case Boolean():
            return {"type": "boolean"}
        case Json():
            return {"type": "object"}
    raise TypeError(f"no JSON Schema for {logical}")


def _integer(bits: int) -> dict[str, Any]:
    minimum, maximum = integer_bounds(bits)
    return {"type": "integer", "minimum": minimum, "maximum": maximum}

"""The published JSON Schemas as a second opinion on event documents, for tests."""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, ValidationError, validators

from concord.contracts.events import EventType, schema_path
from concord.settings import PROJECT


def _matches_whole(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """ECMA-262's reading: ``$`` does not stand before a last newline."""
    if validator.is_type(instance, "string") and not re.fullmatch(pattern, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _is_integer(_: Any, instance: object) -> bool:
    """Stricter than the standard, which cannot tell 1 from 1.0: an integer is written without a point."""
    return type(instance) is int


_Validator = validators.extend(
    Draft202012Validator,
    {"pattern": _matches_whole},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer),
)


@cache
def _validator(event_type: str) -> Any:
    schema = json.loads((PROJECT / schema_path(EventType(event_type))).read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return _Validator(schema)


def schema_accepts(document: Any) -> bool:
    """True if the schema of the document's own event type accepts it."""
    event_type = document.get("event_type") if isinstance(document, dict) else None
    return event_type in list(EventType) and bool(_validator(event_type).is_valid(document))

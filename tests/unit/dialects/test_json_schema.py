"""The published schemas are valid, closed, and bounded as the contract says."""

import re

import pytest
from jsonschema import Draft202012Validator

from concord.contracts.events import EVENT_TYPES, REQUIRES_USER, EventType
from concord.contracts.wire import INSTANT_PATTERN, UUID_PATTERN, decimal_pattern
from concord.dialects.json_schema import event_schema


@pytest.mark.parametrize("event_type", EventType)
def test_schema_is_valid_and_closed(event_type: EventType) -> None:
    schema = event_schema(event_type)
    Draft202012Validator.check_schema(schema)
    assert schema["additionalProperties"] is False
    assert tuple(schema["properties"]) == EVENT_TYPES[event_type].names


@pytest.mark.parametrize("event_type", EventType)
def test_null_is_allowed_exactly_where_the_contract_allows_it(event_type: EventType) -> None:
    schema = event_schema(event_type)
    nullable = {name for name, value in schema["properties"].items() if "null" in value.get("type", "")}
    declared = {column.name for column in EVENT_TYPES[event_type].columns if column.nullable}
    assert nullable == (declared - {"user_id"} if event_type in REQUIRES_USER else declared)
    assert nullable.isdisjoint(schema["required"])


def test_integers_stay_within_the_engines_types() -> None:
    quantity = event_schema(EventType.ADD_TO_CART)["properties"]
    assert quantity["product_id"]["maximum"] == (1 << 63) - 1
    assert quantity["quantity"]["maximum"] == 1_000_000


@pytest.mark.parametrize("text", ["0", "0.0", "12.5", "12.50", "99999999.99"])
def test_decimal_of_ten_digits_two_behind_the_point_is_taken(text: str) -> None:
    assert re.fullmatch(decimal_pattern(10, 2), text)


@pytest.mark.parametrize("text", ["", "-1", "+1", "01", ".5", "5.", "1.005", "100000000", "1e3", "١٢", "1.00\n", " 1"])
def test_decimal_that_would_be_rounded_or_read_in_two_ways_is_refused(text: str) -> None:
    assert not re.fullmatch(decimal_pattern(10, 2), text)


@pytest.mark.parametrize(
    "text", ["2024-06-01T12:00:00Z", "2024-06-01T12:00:00.1+02:00", "2024-06-01T12:00:00.123456-23:59"]
)
def test_instant_with_a_zone_is_taken(text: str) -> None:
    assert re.fullmatch(INSTANT_PATTERN, text)


@pytest.mark.parametrize(
    "text",
    [
        "2024-06-01T12:00:00",
        "2024-06-01 12:00:00Z",
        "2024-06-01T12:00Z",
        "2024-06-01T24:00:00Z",
        "2024-06-01T23:59:60Z",
        "2024-13-01T12:00:00Z",
        "2024-06-01T12:00:00z",
        "2024-06-01T12:00:00.1234567Z",
        "2024-06-01T12:00:00.Z",
        "2024-06-01T12:00:00+0200",
        "2024-06-01T12:00:00+24:00",
        "2024-06-01T12:00:00Z\n",
        "20240601T120000Z",
        "+002024-06-01T12:00:00Z",
    ],
)
def test_instant_without_zone_or_in_another_form_is_refused(text: str) -> None:
    assert not re.fullmatch(INSTANT_PATTERN, text)


@pytest.mark.parametrize(
    "text", ["urn:uuid:018fd0c2-5a00-7000-8a00-000000000001", "018fd0c25a0070008a00000000000001", ""]
)
def test_uuid_in_another_form_is_refused(text: str) -> None:
    assert not re.fullmatch(UUID_PATTERN, text)

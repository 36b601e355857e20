"""The expressions of valid form: narrower than the contract, never wider, and quick whatever comes."""

import json
import re
import time
from typing import Any

import pytest

from concord.contracts.events import EVENT_TYPES, EVENTS, EventType
from concord.speed.lexical import DELIMITER, LINE_FIELDS, in_any_order, in_order, line_template
from tests.factories import event, to_bytes


def in_python(expression: str) -> re.Pattern[str]:
    """Java's dialect, where it is spelled otherwise."""
    named = re.sub(r"\\k<(\w+)>", r"(?P=\1)", expression.replace("(?<", "(?P<"))
    return re.compile(named.replace(r"\z", r"\Z"))


IN_ORDER, IN_ANY_ORDER = in_python(in_order()), in_python(in_any_order())
TEMPLATE = re.sub(r"\$(\d+)", r"\\g<\1>", line_template())


def matches(document: dict[str, Any] | str) -> bool:
    text = document if isinstance(document, str) else json.dumps(document)
    return IN_ANY_ORDER.search(text) is not None


def cut(text: str) -> dict[str, str]:
    """The line's values that are there."""
    found = IN_ORDER.search(text) or IN_ANY_ORDER.search(text)
    assert found is not None
    values = found.expand(TEMPLATE).split(DELIMITER)
    return {column.name: value for column, value in zip(LINE_FIELDS, values, strict=True) if value}


@pytest.mark.parametrize("event_type", EventType)
def test_a_whole_document_of_the_type_matches(event_type: EventType) -> None:
    document = event(event_type)
    ordered = {name: document[name] for name in EVENTS.names if name in document}

    assert IN_ORDER.search(to_bytes(ordered).decode())
    assert matches(to_bytes(document).decode())


@pytest.mark.parametrize("event_type", EventType)
def test_spaces_line_breaks_and_field_order_do_not_matter(event_type: EventType) -> None:
    shuffled = dict(sorted(event(event_type, properties={}).items(), reverse=True))

    assert matches(json.dumps(shuffled, indent=2))
    assert cut(json.dumps(shuffled, indent=2)) == cut(json.dumps(event(event_type, properties={})))


def test_the_line_holds_every_value_given_and_nothing_for_null() -> None:
    document = event(
        EventType.PURCHASE,
        user_id=7,
        referrer=None,
        user_agent=r"a/\"b",
        properties={"a": [1], "b": {}},
        total_amount="12.5",
    )
    text = to_bytes({name: value for name, value in document.items() if name != "page_url"}).decode()

    assert cut(text) == {
        "occurred_at": document["occurred_at"],
        "received_at": document["received_at"],
        "event_id": document["event_id"],
        "event_type": "PURCHASE",
        "schema_version": "1",
        "user_id": "7",
        "anonymous_id": '"anonymous_id 1"',
        "device_type": document["device_type"],
        "user_agent": r'"a/\\\"b"',
        "properties": '{"a":[1],"b":{}}',
        "order_id": "1",
        "total_amount": "12.5",
    }


@pytest.mark.parametrize("event_type", EventType)
def test_a_field_of_another_type_or_one_that_is_missing_does_not_match(event_type: EventType) -> None:
    foreign = {name for other in EventType for name in event(other)} - event(event_type).keys()
    required = [column.name for column in EVENT_TYPES[event_type].columns if not column.nullable]

    assert not any(matches(event(event_type) | {name: value}) for name in foreign for value in (None, 1, "1", "12.50"))
    assert not any(matches(event(event_type, **{name: ...})) for name in required)


@pytest.mark.parametrize("name", event(EventType.ADD_TO_CART))
def test_a_field_that_is_there_twice_does_not_match(name: str) -> None:
    document = event(EventType.ADD_TO_CART)
    for value in {json.dumps(document[name]), "null"}:
        text = f'{to_bytes(document).decode()[:-1]},"{name}":{value}}}'
        assert IN_ORDER.search(text) is None
        assert not matches(text)


@pytest.mark.parametrize(
    "nobody", [{"user_id": None, "anonymous_id": None}, {"user_id": ..., "anonymous_id": ...}], ids=str
)
def test_a_document_of_nobody_does_not_match(nobody: dict[str, Any]) -> None:
    assert not matches(event(EventType.PAGE_VIEW, **nobody))
    assert not matches(event(EventType.LOGIN, user_id=None))
    assert matches(event(EventType.PAGE_VIEW, user_id=None))


@pytest.mark.parametrize(("length", "is_short_enough"), [(128, True), (129, False)])
def test_text_is_as_long_as_its_limit_allows(length: int, is_short_enough: bool) -> None:
    for character in "xé🎁":
        document = event(EventType.PAGE_VIEW, anonymous_id=character * length)
        assert matches(to_bytes(document).decode()) is is_short_enough


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("user_id", "1"),
        ("user_id", 1.0),
        ("user_id", True),
        ("user_id", 10**18),
        ("anonymous_id", 7),
        ("price", 12.5),
        ("price", "12.505"),
        ("price", "1e2"),
        ("occurred_at", "2024-06-01"),
        ("occurred_at", "2024-06-01T12:00:00"),
        ("device_type", "watch"),
        ("event_id", "no uuid"),
        ("properties", "text"),
        ("properties", []),
        ("properties", {"deep": {"deeper": {"deepest": {}}}}),
        ("page_url", "\U0001f381 as an escaped pair"),
        ("unheard_of", 1),
        ("event_id", None),
    ],
)
def test_a_value_that_is_not_surely_of_its_type_does_not_match(field: str, value: object) -> None:
    assert not matches(event(EventType.PRODUCT_VIEW) | {field: value})


def test_bytes_that_were_no_utf8_do_not_match() -> None:
    text = to_bytes(event(EventType.PAGE_VIEW, page_url="odd")).replace(b"odd", b"\xff\xfe").decode(errors="replace")

    assert not matches(text)


@pytest.mark.parametrize("value", ["", "plain", 'with "quotes" and \\', "é", "Ω unescaped"])
def test_ordinary_text_matches(value: str) -> None:
    text = to_bytes(event(EventType.PAGE_VIEW, user_agent=value)).decode()

    assert matches(text)
    assert matches(text.replace("/", "\\/"))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{} {}", '{"event_id":}', "\ufeff{}", "{,}"])
def test_what_is_no_object_does_not_match(text: str) -> None:
    assert not matches(text)


@pytest.mark.parametrize("tail", ["", "x", ",", '"'])
def test_long_hostile_text_is_decided_at_once(tail: str) -> None:
    hostile = '{"page_url":"' + "\\n" * 5000 + '","user_agent":"' + "a" * 20000 + tail
    started = time.perf_counter()

    assert IN_ORDER.search(hostile) is None
    assert not matches(hostile)
    assert time.perf_counter() - started < 1


def test_the_text_of_a_shallow_object_is_cut_out_as_it_came() -> None:
    text = '{ "a": "}", "b" :[1, 2.5,null],"c":{"d":true}}'
    document = to_bytes(event(EventType.SEARCH, properties="HERE")).decode().replace('"HERE"', text)

    assert cut(document)["properties"] == text

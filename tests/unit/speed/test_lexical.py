"""The expressions of valid form: narrower than the contract, never wider, and quick whatever comes."""

import json
import re
import time

import pytest

from concord.contracts.events import EventType
from concord.speed.lexical import document_pattern, text_pattern
from tests.factories import event, to_bytes


def matches(event_type: EventType, text: str) -> bool:
    """Java writes ``\\z`` where Python writes ``\\Z``; all else is spelled alike."""
    return re.search(document_pattern(event_type).replace(r"\z", r"\Z"), text) is not None


@pytest.mark.parametrize("event_type", EventType)
def test_a_whole_document_of_the_type_matches(event_type: EventType) -> None:
    assert matches(event_type, to_bytes(event(event_type)).decode())


@pytest.mark.parametrize("event_type", EventType)
def test_spaces_line_breaks_and_field_order_do_not_matter(event_type: EventType) -> None:
    shuffled = dict(sorted(event(event_type).items(), reverse=True))

    assert matches(event_type, json.dumps(shuffled, indent=2))


def test_a_document_of_another_type_does_not_match() -> None:
    assert not matches(EventType.PAGE_VIEW, to_bytes(event(EventType.SEARCH)).decode())


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
    document = event(EventType.PRODUCT_VIEW) | {field: value}

    assert not matches(EventType.PRODUCT_VIEW, json.dumps(document))


def test_bytes_that_were_no_utf8_do_not_match() -> None:
    text = to_bytes(event(EventType.PAGE_VIEW, page_url="odd")).replace(b"odd", b"\xff\xfe").decode(errors="replace")

    assert not matches(EventType.PAGE_VIEW, text)


@pytest.mark.parametrize("value", ["plain", 'with "quotes" and \\', "tab\tand\nbreak", "é", "Ω unescaped"])
def test_ordinary_text_matches_escaped_or_not(value: str) -> None:
    document = event(EventType.PAGE_VIEW, user_agent=value)

    assert matches(EventType.PAGE_VIEW, json.dumps(document))
    assert matches(EventType.PAGE_VIEW, json.dumps(document, ensure_ascii=False))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{} {}", '{"event_id":}', "\ufeff{}", "{,}"])
def test_what_is_no_object_does_not_match(text: str) -> None:
    assert not any(matches(event_type, text) for event_type in EventType)


@pytest.mark.parametrize("tail", ["", "x", ",", '"'])
def test_long_hostile_text_is_decided_at_once(tail: str) -> None:
    hostile = '{"page_url":"' + "\\n" * 5000 + '","user_agent":"' + "a" * 20000 + tail
    started = time.perf_counter()

    assert not matches(EventType.PAGE_VIEW, hostile)
    assert time.perf_counter() - started < 1


def test_the_text_of_a_shallow_object_is_cut_out_as_it_came() -> None:
    text = '{"user_id":1, "properties" : { "a": "}", "b" :[1, 2.5,null],"c":{"d":true}} ,"page_url":"x"}'

    found = re.search(text_pattern("properties"), text)

    assert found is not None
    assert found.group(1) == '{ "a": "}", "b" :[1, 2.5,null],"c":{"d":true}}'

"""Every record gets a verdict; the verdict is the contract's, and always the same one."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from concord.contracts.events import EVENT_TYPES, EVENTS, EventType
from concord.contracts.tables import POSITION_COLUMNS
from concord.rules import quality
from concord.rules.documents import MAX_DEPTH, MAX_RECORD_BYTES
from concord.rules.quality import Accepted, Reason, Rejected, Verdict, judge
from concord.rules.violations import MAX_POINTER
from tests.factories import EPOCH, event, event_bytes, to_bytes
from tests.schema_oracle import schema_accepts

RECEIVED_AT = EPOCH + timedelta(days=1)
BEYOND_SCHEMAS = (Reason.DUPLICATE_FIELD, Reason.IMPOSSIBLE_TIME, Reason.TOO_LARGE)
"""What JSON Schema cannot see in a parsed document."""

types = st.sampled_from(EventType)
odd_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(1 << 65), 1 << 65),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(["", "0", "12.5", "-1.00", "1e3", "nan", "2024-02-30T00:00:00Z", "2024-06-01T00:00:00Z\n", "٣"]),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


def verdict_on(event_type: EventType = EventType.PURCHASE, /, **named: Any) -> Verdict:
    return judge(event_bytes(event_type, **named), RECEIVED_AT)


def reason(verdict: Verdict) -> tuple[Reason, str] | None:
    return (verdict.reason, verdict.pointer) if isinstance(verdict, Rejected) else None


@given(types, st.integers(1, 1000))
def test_documents_made_from_the_contract_are_accepted_by_judge_and_schema(event_type: EventType, seed: int) -> None:
    document = event(event_type, seed)
    assert isinstance(judge(to_bytes(document), RECEIVED_AT), Accepted)
    assert schema_accepts(document)


@settings(max_examples=400)
@given(types, st.data())
def test_judge_and_published_schema_agree_on_any_change_of_one_field(
    event_type: EventType, data: st.DataObject
) -> None:
    field = data.draw(st.sampled_from([*EVENT_TYPES[event_type].names, "surprise"]))
    document = event(event_type, **{field: data.draw(st.one_of(st.just(...), odd_values))})
    verdict = judge(to_bytes(document), RECEIVED_AT)
    if isinstance(verdict, Accepted):
        assert schema_accepts(document)
    elif verdict.reason not in BEYOND_SCHEMAS and "calendar" not in verdict.detail:
        assert not schema_accepts(document)


@given(st.binary(max_size=200))
def test_any_bytes_get_a_verdict(record: bytes) -> None:
    assert isinstance(judge(record, RECEIVED_AT), Accepted | Rejected)


@settings(max_examples=300)
@given(types, st.integers(0, 2000), st.binary(min_size=0, max_size=4), st.integers(0, 8))
def test_a_valid_record_with_bytes_replaced_gets_a_verdict(
    event_type: EventType, at: int, patch: bytes, removed: int
) -> None:
    record = event_bytes(event_type)
    at %= len(record) + 1
    mutated = record[:at] + patch + record[at + removed :]
    verdict = judge(mutated, RECEIVED_AT)
    assert verdict == judge(mutated, RECEIVED_AT)
    if isinstance(verdict, Accepted):
        assert schema_accepts(json.loads(mutated))
        assert tuple(verdict.row()) == EVENTS.names[: -len(POSITION_COLUMNS)]


@given(types, st.randoms(use_true_random=False))
def test_order_of_fields_does_not_change_the_verdict(event_type: EventType, dice: Any) -> None:
    document = event(event_type, user_id="5", occurred_at="yesterday", surprise=1, anonymous_id=7)
    shuffled = list(document.items())
    dice.shuffle(shuffled)
    assert reason(judge(to_bytes(dict(shuffled)), RECEIVED_AT)) == (Reason.WRONG_TYPE, "/user_id")


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (None, Reason.NOT_JSON),
        (b"", Reason.NOT_JSON),
        (b" ", Reason.NOT_JSON),
        (b"\x00", Reason.NOT_JSON),
        (b"\x1f\x8b\x08\x00", Reason.NOT_JSON),
        (b"\x00\x00\x00\x00\x01{}", Reason.NOT_JSON),
        (b"\xef\xbb\xbf{}", Reason.NOT_JSON),
        ('{"event_type":"LOGIN"}'.encode("utf-16"), Reason.NOT_JSON),
        (b'{"event_type":"\xff"}', Reason.NOT_JSON),
        (b'{"event_type":"\\ud800"}', Reason.NOT_JSON),
        (b'{"user_id":NaN}', Reason.NOT_JSON),
        (b'{"user_id":1e400}', Reason.NOT_JSON),
        (b'{"user_id":01}', Reason.NOT_JSON),
        (b"{'user_id':1}", Reason.NOT_JSON),
        (b'{"user_id":1,}', Reason.NOT_JSON),
        (b"{} {}", Reason.NOT_JSON),
        (b"null", Reason.NOT_AN_OBJECT),
        (b"[{}]", Reason.NOT_AN_OBJECT),
        (b'"LOGIN"', Reason.NOT_AN_OBJECT),
        (b'{"a":1,"\\u0061":1}', Reason.DUPLICATE_FIELD),
        (b"{}", Reason.MISSING_FIELD),
        (b"{" + b" " * MAX_RECORD_BYTES + b"}", Reason.TOO_LARGE),
        (b"[" * 500 + b"]" * 500, Reason.TOO_LARGE),
        (b"[" * 100_000 + b"]" * 100_000, Reason.NOT_JSON),
    ],
    ids=lambda value: repr(value[:24]) if isinstance(value, bytes) else str(value),
)
def test_bytes_that_are_no_event_are_named_for_what_they_are(record: bytes | None, expected: Reason) -> None:
    verdict = judge(record, RECEIVED_AT)
    assert isinstance(verdict, Rejected)
    assert verdict.reason is expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"event_type": ...}, (Reason.MISSING_FIELD, "/event_type")),
        ({"event_type": None}, (Reason.MISSING_FIELD, "/event_type")),
        ({"event_type": 7}, (Reason.WRONG_TYPE, "/event_type")),
        ({"event_type": "purchase"}, (Reason.UNKNOWN_EVENT_TYPE, "/event_type")),
        ({"event_type": "REFUND"}, (Reason.UNKNOWN_EVENT_TYPE, "/event_type")),
        ({"order_id": ...}, (Reason.MISSING_FIELD, "/order_id")),
        ({"order_id": None}, (Reason.MISSING_FIELD, "/order_id")),
        ({"order_id": "7"}, (Reason.WRONG_TYPE, "/order_id")),
        ({"order_id": 7.0}, (Reason.WRONG_TYPE, "/order_id")),
        ({"order_id": True}, (Reason.WRONG_TYPE, "/order_id")),
        ({"order_id": 0}, (Reason.OUT_OF_RANGE, "/order_id")),
        ({"order_id": 1 << 63}, (Reason.OUT_OF_RANGE, "/order_id")),
        ({"order_id": 10**30}, (Reason.OUT_OF_RANGE, "/order_id")),
        ({"total_amount": 12.5}, (Reason.WRONG_TYPE, "/total_amount")),
        ({"total_amount": "12.505"}, (Reason.BAD_FORMAT, "/total_amount")),
        ({"total_amount": "12.50\n"}, (Reason.BAD_FORMAT, "/total_amount")),
        ({"device_type": "toaster"}, (Reason.OUT_OF_RANGE, "/device_type")),
        ({"anonymous_id": "x" * 129}, (Reason.OUT_OF_RANGE, "/anonymous_id")),
        ({"properties": "{}"}, (Reason.WRONG_TYPE, "/properties")),
        ({"properties": []}, (Reason.WRONG_TYPE, "/properties")),
        ({"product_id": 1}, (Reason.UNKNOWN_FIELD, "/product_id")),
        ({"b": 1, "a/b~c": 1}, (Reason.UNKNOWN_FIELD, "/a~1b~0c")),
        ({"user_id": None, "anonymous_id": None}, (Reason.NO_IDENTITY, "")),
        ({"user_id": ..., "anonymous_id": ...}, (Reason.NO_IDENTITY, "")),
        ({"occurred_at": "2023-02-29T00:00:00Z"}, (Reason.BAD_FORMAT, "/occurred_at")),
        ({"occurred_at": "0000-01-01T00:00:00Z"}, (Reason.BAD_FORMAT, "/occurred_at")),
        ({"occurred_at": "0001-01-01T00:00:00+23:59"}, (Reason.IMPOSSIBLE_TIME, "/occurred_at")),
        ({"occurred_at": "9999-12-31T23:59:59-23:59"}, (Reason.IMPOSSIBLE_TIME, "/occurred_at")),
        ({"received_at": "2300-01-01T00:00:00Z"}, (Reason.IMPOSSIBLE_TIME, "/received_at")),
    ],
    ids=str,
)
def test_fault_is_named_with_its_field(change: dict[str, Any], expected: tuple[Reason, str]) -> None:
    assert reason(verdict_on(**change)) == expected


@pytest.mark.parametrize(
    "change",
    [
        {"user_id": None},
        {"anonymous_id": ...},
        {"order_id": (1 << 63) - 1},
        {"total_amount": "0"},
        {"total_amount": "99999999.99"},
        {"occurred_at": "2000-01-01T00:00:00Z"},
        {"occurred_at": "2024-02-29T00:00:00.1+14:00"},
        {"user_agent": "line\nbreak \u0000 nul \U0001f381 e\u0301"},
        {"anonymous_id": "\U0001f381" * 128},
        {"properties": {"deep": {"er": [[[]]]}, "": None}},
        {"event_id": "00000000-0000-0000-0000-000000000000"},
    ],
    ids=str,
)
def test_unusual_but_valid_event_is_accepted(change: dict[str, Any]) -> None:
    assert isinstance(verdict_on(**change), Accepted)


@pytest.mark.parametrize("event_type", [EventType.LOGIN, EventType.LOGOUT])
def test_login_and_logout_need_a_user(event_type: EventType) -> None:
    assert reason(verdict_on(event_type, user_id=None)) == (Reason.MISSING_FIELD, "/user_id")


@pytest.mark.parametrize(("milliseconds", "is_possible"), [(300_000, True), (300_001, False)])
def test_an_event_may_be_five_minutes_ahead_of_its_receipt(milliseconds: int, is_possible: bool) -> None:
    moment = RECEIVED_AT + timedelta(milliseconds=milliseconds)
    assert isinstance(verdict_on(occurred_at=moment.isoformat()), Accepted) is is_possible


def test_nesting_is_allowed_up_to_its_limit() -> None:
    def nested(depth: int) -> Any:
        return {"x": nested(depth - 1)} if depth else 1

    assert isinstance(verdict_on(properties=nested(MAX_DEPTH - 2)), Accepted)
    assert reason(verdict_on(properties=nested(MAX_DEPTH))) == (Reason.TOO_LARGE, "")


def test_absurd_field_names_do_not_make_absurd_pointers() -> None:
    verdict = verdict_on(**{"x" * 100_000: 1})
    assert isinstance(verdict, Rejected)
    assert len(verdict.pointer) == MAX_POINTER


def test_no_detail_repeats_the_value() -> None:
    verdict = verdict_on(device_type="jane@example.org")
    assert isinstance(verdict, Rejected)
    assert "jane" not in verdict.detail


def test_row_is_typed() -> None:
    identity = "018FD0C2-5A00-7000-8A00-00000000000A"
    verdict = verdict_on(event_id=identity, occurred_at="2024-06-01T02:00:00.123987+02:00", total_amount="12.5")
    assert isinstance(verdict, Accepted)
    row = verdict.row()
    assert row["event_id"] == identity.lower()
    assert row["occurred_at"] == datetime(2024, 6, 1, 0, 0, 0, 123000, tzinfo=UTC)
    assert str(row["total_amount"]) == "12.50"
    assert row["price"] is None


@pytest.mark.parametrize("text", ['{"a": 1.10, "a": 10000000000000000000000000}', "{ }", '{"é":"\\u00e9"}'])
def test_properties_stay_the_text_they_came_as(text: str) -> None:
    record = event_bytes(properties=...)[:-1] + b',"properties" : ' + text.encode() + b" }"
    verdict = judge(record, RECEIVED_AT)
    assert isinstance(verdict, Accepted)
    assert verdict.row()["properties"] == text


def test_every_money_column_becomes_an_exact_decimal() -> None:
    for event_type in EventType:
        verdict = judge(event_bytes(event_type), RECEIVED_AT)
        assert isinstance(verdict, Accepted)
        money = [verdict.row()[name] for name in ("price", "cart_value", "total_amount")]
        assert all(value is None or isinstance(value, Decimal) for value in money)


def test_the_published_schema_has_the_last_word(monkeypatch: pytest.MonkeyPatch) -> None:
    stricter = jsonschema_rs.Draft202012Validator({"properties": {"event_type": {"const": "never"}}})
    monkeypatch.setattr(quality, "_schema", lambda event_type: stricter)
    assert verdict_on() == Rejected(Reason.BAD_FORMAT, "/event_type", "is refused by the published schema")

"""Records as bytes: valid ones stay valid, and dead letters dead for the same reason."""

from datetime import timedelta
from pathlib import Path

import pytest

from concord.contracts.events import EVENTS, EventType
from concord.erasure.letters import erased_record, masked
from concord.erasure.person import Person
from concord.erasure.values import CLICK_COLUMNS, erased_event
from concord.rules.quality import Accepted, Rejected, judge
from concord.settings import PROJECT
from tests.factories import EPOCH, event_bytes

SALT = b"salt"
ADA = Person(42, SALT, frozenset({"ada@x.org"}))
RECEIVED_AT = EPOCH + timedelta(hours=12)
EXAMPLES = sorted((PROJECT / "schemas" / "events" / "examples").glob("*.json"))


def owner_of(verdict: Accepted | Rejected) -> Person:
    """Whose event it is; for a dead letter somebody whose device is called like a field."""
    row = verdict.row() if isinstance(verdict, Accepted) else {"user_id": None, "anonymous_id": "device"}
    devices = frozenset({row["anonymous_id"]}) - {None}
    return Person(row["user_id"] or 42, SALT, devices=devices)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_keeps_its_verdict(path: Path) -> None:
    original = path.read_bytes()
    was = judge(original, RECEIVED_AT)
    erased = erased_record(original, RECEIVED_AT, owner_of(was))
    verdict = judge(erased, RECEIVED_AT)
    if isinstance(was, Rejected):
        assert isinstance(verdict, Rejected)
        assert (verdict.reason, verdict.pointer) == (was.reason, was.pointer)
    else:
        assert isinstance(verdict, Accepted)
        assert isinstance(was, Accepted)
        assert verdict.row() == {**was.row(), **erased_event(was.row(), SALT)}
        assert erased_record(erased, RECEIVED_AT, owner_of(verdict)) == erased


def test_what_is_not_personal_of_an_event_stays() -> None:
    original = event_bytes(EventType.SEARCH, search_query="ada lovelace", properties={"who": "ada"}, user_id=42)
    was, erased = (judge(each, RECEIVED_AT) for each in (original, erased_record(original, RECEIVED_AT, ADA)))
    assert isinstance(was, Accepted)
    assert isinstance(erased, Accepted)
    kept = [name for name in EVENTS.names if name not in CLICK_COLUMNS and not name.startswith("_")]
    assert {name: erased.row()[name] for name in kept} == {name: was.row()[name] for name in kept}
    assert "ada" not in str(erased.row())


@pytest.mark.parametrize(
    ("original", "expected"),
    [
        (b'{"user_id":42,"email":"Ada@x.org"', b'{"user_id":42,"email":"xxx@x.xxx"'),
        (b'{"event_type":"LOGIN","nick":"a\\"b\\u00e9 7"}', b'{"event_type":"LOGIN","nick":"x\\"x\\u0078 0"}'),
        ('{"page_url": "https://zoë"}'.encode(), b'{"page_url": "xxxxx://xxx"}'),
        (b"ADA@X.ORG wrote", b"xxx@x.xxx wrote"),
        (b'{"properties":{"who":"ada","price":"1.00"}}', b'{"properties":{"who":"xxx","price":"1.00"}}'),
    ],
)
def test_a_dead_letter_is_masked_in_its_shape(original: bytes, expected: bytes) -> None:
    assert masked(original, ("ada@x.org",)) == expected


def test_a_valid_event_of_somebody_else_stays_whatever_it_says() -> None:
    original = event_bytes(EventType.SEARCH, search_query="ada@x.org", user_id=7, anonymous_id="device-2")
    assert erased_record(original, RECEIVED_AT, ADA) == original

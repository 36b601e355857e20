"""What becomes of a dead letter that is to be sent again."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from concord.contracts.names import cdc_topic
from concord.contracts.tables import ORDERS
from concord.ingest.dead_letters.fixes import parse_fix
from concord.ingest.dead_letters.letters import DeadLetter, Place
from concord.ingest.dead_letters.verdicts import MAX_ATTEMPTS, Ready, Refusal, Refused, decide
from concord.rules.quality import Reason
from concord.rules.violations import BAD_CHANGE_RECORD
from tests.dead_letters import NOW, letter
from tests.factories import event_bytes

VALID = event_bytes()


def why(dead: DeadLetter, fix: str | None = None) -> str:
    decision = decide(dead, parse_fix(fix) if fix else None, NOW)
    assert isinstance(decision, Refused)
    return decision.why


def test_a_valid_original_goes_out_byte_for_byte() -> None:
    decision = decide(letter(VALID), None, NOW)
    assert isinstance(decision, Ready)
    assert decision.value == VALID


def test_a_time_that_was_ahead_is_valid_once_it_has_come() -> None:
    ahead = letter(event_bytes(occurred_at=(NOW + timedelta(hours=1)).isoformat()), reason=Reason.IMPOSSIBLE_TIME)
    assert why(ahead) == Reason.IMPOSSIBLE_TIME
    assert isinstance(decide(ahead, None, NOW + timedelta(hours=1)), Ready)


def test_what_is_invalid_still_is_refused_with_its_new_reason() -> None:
    decision = decide(letter(event_bytes(user_id="17", quantity=3)), parse_fix(".user_id |= tonumber"), NOW)
    assert isinstance(decision, Refused)
    assert (decision.why, decision.detail.split()[0]) == (Reason.UNKNOWN_FIELD, "/quantity")


def test_a_fixed_event_keeps_its_identity_unless_the_fix_is_about_it() -> None:
    spoiled = event_bytes(user_id="17")
    fixed = decide(letter(spoiled), parse_fix(".user_id |= tonumber"), NOW)
    assert isinstance(fixed, Ready)
    assert json.loads(fixed.value) == {**json.loads(spoiled), "user_id": 17}


@pytest.mark.parametrize(("named", "key"), [({}, "anonymous_id 1"), ({"anonymous_id": None, "user_id": 7}, "7")])
def test_the_key_is_the_device_or_else_the_user(named: dict[str, object], key: str) -> None:
    decision = decide(letter(event_bytes(**named)), None, NOW)
    assert isinstance(decision, Ready)
    assert decision.key == key


@pytest.mark.parametrize("place", [Place(cdc_topic(ORDERS), 0, 1), letter().place])
def test_a_change_record_is_never_sent_again(place: Place) -> None:
    change = letter(VALID, reason=BAD_CHANGE_RECORD, place=place)
    assert why(change, ".") == Refusal.CHANGE_RECORD


def test_an_original_is_sent_three_times_and_no_more() -> None:
    decisions = [decide(letter(VALID, attempts=attempts), None, NOW) for attempts in range(MAX_ATTEMPTS)]
    assert [decision.attempt for decision in decisions if isinstance(decision, Ready)] == [1, 2, 3]
    assert why(letter(VALID, attempts=MAX_ATTEMPTS)) == Refusal.TOO_MANY_ATTEMPTS


def test_a_letter_is_sent_once() -> None:
    assert why(letter(VALID, is_replayed=True)) == Refusal.ALREADY_REPLAYED


def test_a_letter_that_may_have_been_sent_is_left_alone() -> None:
    dead = letter(VALID)
    decision = decide(dead, None, NOW, frozenset([dead.place]))
    assert isinstance(decision, Refused)
    assert decision.why == Refusal.UNCERTAIN
    assert isinstance(decide(replace(dead, place=Place("t", 0, 9)), None, NOW, frozenset([dead.place])), Ready)


@pytest.mark.parametrize("original", [None, b"", b"no json"])
def test_a_letter_without_a_document_is_refused_with_or_without_a_fix(original: bytes | None) -> None:
    assert why(letter(original)) == Reason.NOT_JSON
    assert why(letter(original), ".") == Refusal.CANNOT_FIX

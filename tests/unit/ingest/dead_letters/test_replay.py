"""Each dead letter is sent at most once, wherever a replay breaks off; a dry run says the same."""

import json
from contextlib import suppress
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concord.contracts.names import EVENTS_TOPIC
from concord.gateways.kafka import Record
from concord.ingest.dead_letters.audit import SOURCE_HEADER, AuditRow, Outcome, headers, row_of
from concord.ingest.dead_letters.fixes import Fix, parse_fix
from concord.ingest.dead_letters.letters import TRANSIENT, DeadLetter, Place, Selection
from concord.ingest.dead_letters.replay import Replay, Report
from concord.ingest.dead_letters.settling import settle
from concord.ingest.dead_letters.verdicts import Refusal, decide
from concord.rules.quality import Reason
from concord.rules.violations import BAD_CHANGE_RECORD
from tests.dead_letters import NOW, Broken, Letters, Outbox, Topic, letter
from tests.factories import event_bytes

REPAIR = parse_fix(".user_id |= tonumber")
ALL = Selection()
IDS = (f"replay-{number}" for number in count())


def plan(letters: Letters, topic: Topic, selection: Selection = ALL, fix: Fix | None = None) -> Replay:
    return Replay(letters, topic, selection, fix, next(IDS), lambda: NOW)


def run(letters: Letters, topic: Topic, selection: Selection = ALL, fix: Fix | None = None) -> Report:
    return plan(letters, topic, selection, fix).run(Outbox(topic))


def sources(topic: Topic) -> list[str]:
    """The letters whose records lie in the topic."""
    return [(dict(record.headers)[SOURCE_HEADER] or b"").decode() for record in topic.records]


def valid(number: int) -> list[DeadLetter]:
    return [letter(event_bytes(seed=offset + 1), offset) for offset in range(number)]


def test_transient_causes_go_first_then_the_order_of_the_source() -> None:
    reasons = [Reason.BAD_FORMAT, Reason.UNKNOWN_FIELD, Reason.OUT_OF_RANGE, Reason.IMPOSSIBLE_TIME]
    dead = [replace(each, reason=str(reason)) for each, reason in zip(valid(4), reasons, strict=True)]
    topic = Topic()
    run(Letters(dead), topic)
    assert sources(topic) == [f"{EVENTS_TOPIC}/0/{offset}" for offset in (1, 3, 0, 2)]


def test_a_second_replay_sends_nothing() -> None:
    letters, topic = Letters(valid(3)), Topic()
    assert len(run(letters, topic).sent) == 3
    assert run(letters, topic).letters == []
    assert len(topic.records) == 3


def test_a_replayed_letter_that_is_named_is_refused_by_name() -> None:
    letters, topic = Letters(valid(1)), Topic()
    run(letters, topic)
    again = run(letters, topic, Selection((letters.letters[0].place,)))
    assert [each.why for each in again.letters] == [Refusal.ALREADY_REPLAYED]
    assert len(topic.records) == 1


def test_the_audit_says_intended_before_and_sent_after_with_the_place() -> None:
    letters, topic = Letters([*valid(1), letter(b"no json", 1)]), Topic([other(0)])
    run(letters, topic)
    assert [
        (row["source_offset"], row["outcome"], row["refusal"], row["produced_offset"]) for row in letters.audit
    ] == [
        (1, "refused", "not_json", None),
        (0, "intended", "", None),
        (0, "sent", "", 1),
    ]


def other(offset: int, **headers: bytes) -> Record:
    """A record that no replay sent; its headers are whatever a producer put there."""
    return Record(EVENTS_TOPIC, 0, offset, NOW, None, b"", tuple(headers.items()))


def test_a_record_that_dies_again_is_sent_three_times_in_all() -> None:
    letters, topic = Letters([letter(event_bytes(), 100)]), Topic()
    outcomes = []
    for _ in range(5):
        report = run(letters, topic)
        outcomes += [(each.attempt, each.why) for each in report.letters]
        letters.letters += [letter(event_bytes(), each.produced.offset) for each in report.sent if each.produced]
    refused = (4, Refusal.TOO_MANY_ATTEMPTS)
    assert outcomes == [(1, ""), (2, ""), (3, ""), refused, refused]
    assert len(topic.records) == 3


@pytest.mark.parametrize("is_committed", [False, True])
def test_a_replay_that_broke_off_is_settled_by_the_next(is_committed: bool) -> None:
    letters, topic = Letters(valid(3)), Topic()
    with pytest.raises(Broken):
        plan(letters, topic).run(Outbox(topic, breaks=(0, is_committed)))
    report = run(letters, topic)
    assert (report.found, report.withdrawn) == ((2, 0) if is_committed else (0, 2))
    assert sorted(sources(topic)) == [f"{EVENTS_TOPIC}/0/{offset}" for offset in range(3)]
    assert letters.open_intents() == []


def test_a_letter_whose_fate_the_topic_has_forgotten_is_not_sent_again() -> None:
    letters, topic = Letters(valid(1)), Topic()
    with pytest.raises(Broken):
        plan(letters, topic).run(Outbox(topic, breaks=(0, True)))
    topic.first = 1
    for _ in range(2):
        assert [each.why for each in run(letters, topic).letters] == [Refusal.UNCERTAIN]
    assert len(topic.records) == 1


def test_a_dry_run_knows_what_a_replay_that_broke_off_has_sent() -> None:
    letters, topic = Letters([letter(event_bytes(), 100)]), Topic()
    with pytest.raises(Broken):
        plan(letters, topic).run(Outbox(topic, breaks=(0, True)))
    letters.letters.append(letter(event_bytes(), 0))
    report = plan(letters, topic).preview()
    assert (report.found, [(each.place.offset, each.attempt) for each in report.letters]) == (1, [(0, 2)])
    assert len(letters.audit) == 1


def test_the_record_of_each_open_intent_is_looked_for_behind_its_own_end() -> None:
    source = letter().place
    topic = Topic([replaying("a"), other(1), replaying("b")])
    settled = settle([intent("b", end=1), intent("a", end=-1), intent("c", end=2)], topic)
    assert {row["replay_id"]: place.offset for row, place in settled.found} == {"a": 0, "b": 2}
    assert [row["replay_id"] for row in settled.missing] == ["c"]
    topic.first = 2
    settled = settle([intent("a", end=-1), intent("c", end=2)], topic)
    assert (settled.found, [row["replay_id"] for row in settled.missing]) == ([], ["c"])
    assert settled.uncertain == {source}


def intent(replay_id: str, end: int) -> AuditRow:
    """About to send the letter at offset 0 while the topic ended at ``end``."""
    decision = decide(letter(event_bytes()), None, NOW)
    row = row_of(decision, Outcome.INTENDED, replay_id, "", NOW)
    return {**row, "topic_end": json.dumps({EVENTS_TOPIC: {"0": end}})}


def replaying(replay_id: str) -> Record:
    return replace(other(0), offset=ord(replay_id) - ord("a") << 1, headers=headers(letter().place, 1, replay_id))


def test_headers_of_other_producers_are_no_proof_of_a_replay() -> None:
    letters, topic = Letters(valid(1)), Topic()
    with pytest.raises(Broken):
        plan(letters, topic).run(Outbox(topic, breaks=(0, False)))
    forged = {SOURCE_HEADER: str(letters.letters[0].place).encode(), "concord.replay.id": b"\xff"}
    topic.records.append(other(0, **forged))
    assert len(run(letters, topic).sent) == 1


LETTERS = st.lists(
    st.tuples(
        st.sampled_from([b"no json", None, *(event_bytes(seed=seed) for seed in (1, 2)), event_bytes(user_id="17")]),
        st.sampled_from([*TRANSIENT, str(Reason.MISSING_FIELD), str(Reason.WRONG_TYPE), BAD_CHANGE_RECORD]),
        st.sampled_from([0, 0, 0, 2, 3]),
    ),
    max_size=7,
)
BREAKS = st.lists(st.tuples(st.integers(0, 2), st.booleans()), max_size=3)


@st.composite
def selections(draw: st.DrawFn) -> Selection:
    places = draw(st.lists(st.integers(100, 106).map(lambda offset: Place(EVENTS_TOPIC, 0, offset)), max_size=3))
    return Selection(tuple(places), tuple(draw(st.lists(st.sampled_from(TRANSIENT), max_size=2))))


@given(LETTERS, BREAKS, selections(), st.sampled_from([None, REPAIR]))
def test_a_dry_run_chooses_as_the_real_one_does_and_nothing_is_sent_twice(
    dead: list[tuple[bytes | None, str, int]],
    breaks: list[tuple[int, bool]],
    selection: Selection,
    fix: Fix | None,
) -> None:
    letters = Letters([letter(*each, attempts=n) for each, n in placed(dead)])
    topic = Topic()
    for place in breaks:
        with suppress(Broken):
            plan(letters, topic, ALL, fix).run(Outbox(topic, breaks=place))
    dry = plan(letters, topic, selection, fix).preview()
    audit: list[AuditRow] = list(letters.audit)
    real = run(letters, topic, selection, fix)

    assert audit == letters.audit[: len(audit)]
    assert [replace(each, produced=None) for each in real.letters] == dry.letters
    assert (dry.found, dry.withdrawn) == (real.found, real.withdrawn)
    assert len(sources(topic)) == len(set(sources(topic)))
    assert {str(each.place) for each in real.sent} <= set(sources(topic))
    sent = [str(Place(EVENTS_TOPIC, 0, r["source_offset"])) for r in letters.audit if r["outcome"] == Outcome.SENT]
    assert sorted(sent) == sorted(sources(topic))
    assert run(letters, topic, selection, fix).sent == []


def placed(dead: list[tuple[bytes | None, str, int]]) -> list[tuple[tuple[bytes | None, int, str], int]]:
    """At offsets beyond those that a replay produces here."""
    return [((original, 100 + number, reason), n) for number, (original, reason, n) in enumerate(dead)]

"""The audit of replays: what is written before a record is sent, and after it."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from concord.ingest.dead_letters.letters import Place
from concord.ingest.dead_letters.verdicts import Decision, Refused

AuditRow = dict[str, Any]

SOURCE_HEADER = "concord.replay.source"
ATTEMPT_HEADER = "concord.replay.attempt"
ID_HEADER = "concord.replay.id"


class Outcome(StrEnum):
    """Steps of one replay of one letter. ``withdrawn``: what was intended did not happen, that much is certain."""

    INTENDED = "intended"
    SENT = "sent"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"


def headers(source: Place, attempt: int, replay_id: str) -> tuple[tuple[str, bytes], ...]:
    """What a replayed record says of itself."""
    named = {SOURCE_HEADER: str(source), ATTEMPT_HEADER: str(attempt), ID_HEADER: replay_id}
    return tuple((name, value.encode()) for name, value in named.items())


def row_of(decision: Decision, outcome: Outcome, replay_id: str, fix: str, at: datetime) -> AuditRow:
    """A row about a decision; what is known only later is empty."""
    place = decision.letter.place
    refused = decision if isinstance(decision, Refused) else None
    return {
        "source_topic": place.topic,
        "source_partition": place.partition,
        "source_offset": place.offset,
        "replay_id": replay_id,
        "attempt": decision.attempt,
        "reason": decision.letter.reason,
        "fix": fix,
        "outcome": str(outcome),
        "refusal": refused.why if refused else "",
        "detail": refused.detail if refused else "",
        "topic_end": "",
        "produced_topic": None,
        "produced_partition": None,
        "produced_offset": None,
        "replayed_at": at,
    }


def sent(intent: Mapping[str, Any], produced: Place, at: datetime) -> AuditRow:
    """The row that says where the record of an intent lies."""
    return {
        **intent,
        "outcome": str(Outcome.SENT),
        "produced_topic": produced.topic,
        "produced_partition": produced.partition,
        "produced_offset": produced.offset,
        "replayed_at": at,
    }


def withdrawn(intent: Mapping[str, Any], at: datetime) -> AuditRow:
    """The row that says that nothing came of an intent."""
    return {**intent, "outcome": str(Outcome.WITHDRAWN), "replayed_at": at}


def source_of(row: Mapping[str, Any]) -> Place:
    return Place(row["source_topic"], row["source_partition"], row["source_offset"])

"""What a replay would do with a dead letter. Pure, so that a dry run and a real one cannot differ."""

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from concord.ingest.dead_letters.fixes import CannotFix, Fix
from concord.ingest.dead_letters.letters import DeadLetter, Place
from concord.rules.quality import Accepted, Document, Rejected, judge

MAX_ATTEMPTS = 3
"""Per original: what has died so often is not healed by sending it again."""


class Refusal(StrEnum):
    """Why a letter is not sent, beside the reason codes of what is still invalid."""

    CHANGE_RECORD = "change_record"
    ALREADY_REPLAYED = "already_replayed"
    UNCERTAIN = "uncertain"
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    CANNOT_FIX = "cannot_fix"


DETAILS = {
    Refusal.CHANGE_RECORD: "a change cannot be sent again out of its order: repair the row at the source, "
    "or have the connector take a new snapshot",
    Refusal.ALREADY_REPLAYED: "has been sent again before",
    Refusal.UNCERTAIN: "an earlier replay that broke off may have sent it, and the topic no longer reaches back so far",
    Refusal.TOO_MANY_ATTEMPTS: f"its original has been sent again {MAX_ATTEMPTS} times and died each time",
}


@dataclass(frozen=True)
class Ready:
    """A valid event, to be sent to the topic it came from."""

    letter: DeadLetter
    key: str
    value: bytes

    @property
    def attempt(self) -> int:
        return self.letter.attempts + 1


@dataclass(frozen=True)
class Refused:
    """Not to be sent. ``why`` is a :class:`Refusal`, or the reason code of the fault that is left."""

    letter: DeadLetter
    why: str
    detail: str

    @property
    def attempt(self) -> int:
        return self.letter.attempts + 1


Decision = Ready | Refused


def decide(letter: DeadLetter, fix: Fix | None, at: datetime, uncertain: Set[Place] = frozenset()) -> Decision:
    """What becomes of the letter if Kafka received it again at ``at``."""
    refusal = _refusal(letter, uncertain)
    if refusal is not None:
        return Refused(letter, refusal, DETAILS[refusal])
    try:
        value = fix.apply(letter.original) if fix else letter.original
    except CannotFix as error:
        return Refused(letter, Refusal.CANNOT_FIX, str(error))
    match judge(value, at):
        case Accepted(document):
            return Ready(letter, key_of(document), value or b"")
        case Rejected(reason, pointer, detail):
            return Refused(letter, str(reason), f"{pointer} {detail}".strip())


def _refusal(letter: DeadLetter, uncertain: Set[Place]) -> Refusal | None:
    if letter.is_change:
        return Refusal.CHANGE_RECORD
    if letter.is_replayed:
        return Refusal.ALREADY_REPLAYED
    if letter.place in uncertain:
        return Refusal.UNCERTAIN
    if letter.attempts >= MAX_ATTEMPTS:
        return Refusal.TOO_MANY_ATTEMPTS
    return None


def key_of(document: Document) -> str:
    """Kafka's key of an event, as producers choose it: a device never changes partition."""
    device = document.get("anonymous_id")
    return str(document["user_id"] if device is None else device)

"""Records as the bytes that came: events keep being events, and dead letters keep their reason."""

import json
import re
from collections.abc import Iterable
from datetime import datetime

from concord.contracts.events import EVENT_TYPES
from concord.erasure.person import Person
from concord.erasure.values import DEVICE_ID, erased_event
from concord.rules.quality import Accepted, Rejected, Verdict, judge

OPEN_FIELDS = {column.name for contract in EVENT_TYPES.values() for column in contract.columns if not column.personal}
"""What a record may go on saying. Any other field, known or not, is masked."""

PAIR = re.compile(rb'"((?:[^"\\]|\\.)*)"(\s*:\s*")((?:[^"\\]|\\.)*)', re.DOTALL)
SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
"""Half a character: no letter, and its other half may be what is missing."""
SHAPE = re.compile(rb"\\u[0-9a-fA-F]{4}|\\.|[\xc2-\xf4][\x80-\xbf]+|[A-Za-z]|[0-9]", re.DOTALL)


def erased_record(original: bytes, received_at: datetime, person: Person) -> bytes:
    """The record without the person: a valid event of theirs as :func:`erased_event` has it, a dead letter masked.

    A valid event of somebody else stays, whatever it says: the stores of typed events could not follow.
    """
    verdict = judge(original, received_at)
    if not isinstance(verdict, Accepted):
        return _masked_alike(original, received_at, verdict, person.sought)
    event = verdict.row()
    if event["user_id"] != person.user_id and event[DEVICE_ID] not in person.devices:
        return original
    document = json.loads(original)
    for name, value in erased_event(event, person.salt).items():
        if name in document or value is not None:
            document[name] = value
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def _masked_alike(original: bytes, received_at: datetime, verdict: Rejected, words: Iterable[str]) -> bytes:
    """Masked so that the verdict stays: a word of the person's may be part of a field's name, too."""
    thorough, careful = masked(original, words), masked(original, ())
    return careful if _fault(judge(thorough, received_at)) != _fault(verdict) else thorough


def _fault(verdict: Verdict) -> tuple[str, str] | None:
    return (verdict.reason, verdict.pointer) if isinstance(verdict, Rejected) else None


def masked(original: bytes, words: Iterable[str]) -> bytes:
    """Letters become x, digits 0, in every text that is not known to be harmless: what was wrong with it still is."""
    return without(words, PAIR.sub(_masked_pair, original))


def without(words: Iterable[str], record: bytes) -> bytes:
    """The record with these words, wherever they stand, as their shapes."""
    for word in sorted(words, key=len, reverse=True):
        record = re.sub(re.escape(word.encode()), lambda match: _shape(match[0]), record, flags=re.IGNORECASE)
    return record


def _masked_pair(match: re.Match[bytes]) -> bytes:
    name, colon, text = match.groups()
    shown = text if name.decode(errors="replace") in OPEN_FIELDS else _shape(text)
    return b'"' + name + b'"' + colon + shown


def _shape(text: bytes) -> bytes:
    return SHAPE.sub(_shaped, text)


def _shaped(match: re.Match[bytes]) -> bytes:
    one = match[0]
    if one.startswith(b"\\u") and not SURROGATE.match(one):
        return b"\\u0078"
    if one.startswith(b"\\"):
        return one
    return b"0" if one.isdigit() else b"x"

"""Dead letters are sent again, each at most once.

Before a record is sent the audit says that it is intended, afterwards that it is there. All records of a
page are committed together by the one sender there is. If a replay breaks off in between, the next one
takes the sender over, so that nothing of it can come later, and looks for the records in the topic.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from json import dumps
from typing import Any, Protocol

from concord.gateways.kafka import NewRecord
from concord.ingest.dead_letters import audit
from concord.ingest.dead_letters.audit import AuditRow, Outcome
from concord.ingest.dead_letters.fixes import Fix
from concord.ingest.dead_letters.letters import DeadLetter, Place, Selection
from concord.ingest.dead_letters.settling import Settlement, Topics, settle
from concord.ingest.dead_letters.verdicts import Decision, Ready, Refused, decide

SENDER = "concord.dead_letters.replay"
"""Transactional id: there is one replay at a time, the newest."""


class Letters(Protocol):
    """Where dead letters and the audit are kept."""

    def pages(self, selection: Selection, replay_id: str = "") -> Iterator[list[DeadLetter]]: ...

    def open_intents(self) -> list[dict[str, Any]]: ...

    def record(self, rows: Sequence[AuditRow], token: str) -> None: ...


class Outbox(Protocol):
    """A sender that commits all records or none, see :class:`concord.gateways.kafka.Sender`."""

    def open(self) -> None: ...

    def send(self, records: Sequence[NewRecord]) -> list[tuple[str, int, int]]: ...


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of one letter; in a dry run, what would. ``why`` is empty unless it was refused."""

    place: Place
    reason: str
    attempt: int
    why: str
    detail: str
    produced: Place | None

    @classmethod
    def of(cls, decision: Decision, produced: Place | None = None) -> "Replayed":
        """Without the document: there may be many."""
        letter = decision.letter
        why, detail = (decision.why, decision.detail) if isinstance(decision, Refused) else ("", "")
        return cls(letter.place, letter.reason, decision.attempt, why, detail, produced)


@dataclass
class Report:
    """One replay. ``found`` and ``withdrawn`` count the records that earlier ones left open."""

    replay_id: str
    is_dry_run: bool
    found: int
    withdrawn: int
    letters: list[Replayed] = field(default_factory=list)

    @property
    def sent(self) -> list[Replayed]:
        """In a dry run, what would be sent."""
        return [each for each in self.letters if not each.why]

    @property
    def refused(self) -> list[Replayed]:
        return [each for each in self.letters if each.why]


@dataclass(frozen=True)
class Replay:
    """One call: these letters, with this fix."""

    letters: Letters
    topics: Topics
    selection: Selection
    fix: Fix | None
    replay_id: str
    clock: Callable[[], datetime]
    _ends: dict[str, str] = field(default_factory=dict, init=False)

    def preview(self) -> Report:
        """What :meth:`run` would do, without doing it."""
        settled = settle(self.letters.open_intents(), self.topics)
        report = self._report(settled, is_dry_run=True)
        report.letters += [Replayed.of(each) for page in self._decisions(settled) for each in page]
        return report

    def run(self, outbox: Outbox) -> Report:
        """Send what is valid, refuse the rest, and account for both."""
        outbox.open()
        settled = settle(self.letters.open_intents(), self.topics)
        self._close(settled)
        report = self._report(settled, is_dry_run=False)
        for number, page in enumerate(self._decisions(settled)):
            report.letters += self._carry_out(page, number, outbox)
        return report

    def _report(self, settled: Settlement, is_dry_run: bool) -> Report:
        return Report(self.replay_id, is_dry_run, len(settled.found), len(settled.missing))

    def _decisions(self, settled: Settlement) -> Iterator[list[Decision]]:
        """One moment counts for the whole run: what is valid at it is valid when it arrives."""
        at = self.clock()
        for page in self.letters.pages(self.selection, self.replay_id):
            letters = [_as_settled(letter, settled) for letter in page]
            yield [
                decide(letter, self.fix, at, settled.uncertain) for letter in letters if self.selection.takes(letter)
            ]

    def _close(self, settled: Settlement) -> None:
        rows = [audit.sent(intent, place, self.clock()) for intent, place in settled.found]
        rows += [audit.withdrawn(intent, self.clock()) for intent in settled.missing]
        self._record(rows, "settled", 0)

    def _carry_out(self, page: Sequence[Decision], number: int, outbox: Outbox) -> list[Replayed]:
        refused = [each for each in page if isinstance(each, Refused)]
        self._record([self._row(each, Outcome.REFUSED) for each in refused], Outcome.REFUSED, number)
        ready = [each for each in page if isinstance(each, Ready)]
        places = iter(self._send(ready, number, outbox))
        return [Replayed.of(each, next(places) if isinstance(each, Ready) else None) for each in page]

    def _send(self, ready: Sequence[Ready], number: int, outbox: Outbox) -> list[Place]:
        if not ready:
            return []
        intents = [{**self._row(each, Outcome.INTENDED), "topic_end": self._end_of(each)} for each in ready]
        self._record(intents, Outcome.INTENDED, number)
        places = [Place(*place) for place in outbox.send([self._outgoing(each) for each in ready])]
        pairs = zip(intents, places, strict=True)
        self._record([audit.sent(intent, place, self.clock()) for intent, place in pairs], Outcome.SENT, number)
        return places

    def _outgoing(self, ready: Ready) -> NewRecord:
        place = ready.letter.place
        return NewRecord(place.topic, ready.key, ready.value, audit.headers(place, ready.attempt, self.replay_id))

    def _row(self, decision: Decision, outcome: Outcome) -> AuditRow:
        return audit.row_of(decision, outcome, self.replay_id, self.fix.text if self.fix else "", self.clock())

    def _record(self, rows: Sequence[AuditRow], step: str, number: int) -> None:
        if rows:
            self.letters.record(rows, f"{self.replay_id}/{step}/{number}")

    def _end_of(self, ready: Ready) -> str:
        """Where the topic ended before this run: what it sends lies behind it."""
        topic = ready.letter.place.topic
        if topic not in self._ends:
            self._ends[topic] = dumps(self.topics.end_position([topic]).as_json())
        return self._ends[topic]


def _as_settled(letter: DeadLetter, settled: Settlement) -> DeadLetter:
    """The letter in the light of what an earlier replay is now known to have sent."""
    return replace(
        letter,
        is_replayed=letter.is_replayed or letter.place in settled.replayed,
        attempts=settled.attempts.get(letter.place, letter.attempts),
    )

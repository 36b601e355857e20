"""Dead letters, their audit and their topic in memory, with a place to break off at every step."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from concord.contracts.names import EVENTS_TOPIC
from concord.contracts.position import Position
from concord.gateways.kafka import NewRecord, Record
from concord.ingest.dead_letters.audit import AuditRow, Outcome, source_of
from concord.ingest.dead_letters.letters import TRANSIENT, DeadLetter, Place, Selection
from concord.rules.quality import Reason

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Broken(Exception):
    """The process ends here."""


def letter(
    original: bytes | None = b"{}", offset: int = 0, reason: str = Reason.MISSING_FIELD, **named: Any
) -> DeadLetter:
    """A dead letter of partition 0 of the events topic."""
    plain = DeadLetter(Place(EVENTS_TOPIC, 0, offset), str(reason), "", "is missing", original, NOW, NOW, 0, False)
    return replace(plain, **named)


@dataclass
class Topic:
    """One partition; ``first`` is the first offset that is kept."""

    records: list[Record] = field(default_factory=list)
    first: int = 0

    def start_position(self, topic: str) -> Position:
        return Position.of([(topic, 0, self.first - 1)])

    def end_position(self, topics: Sequence[str]) -> Position:
        return Position.of((topic, 0, len(self.records) - 1) for topic in topics)

    def read(self, topic: str, after: Position | None = None) -> Iterable[Record]:
        (position,) = after or [(topic, 0, -1)]
        return self.records[max(position[2] + 1, self.first) :]


@dataclass
class Outbox:
    """Commits to ``topic``. ``breaks`` says at which call of ``send`` to end, and whether after the commit."""

    topic: Topic
    breaks: tuple[int, bool] | None = None
    is_open: bool = False
    calls: int = 0

    def open(self) -> None:
        self.is_open = True

    def send(self, records: Sequence[NewRecord]) -> list[tuple[str, int, int]]:
        assert self.is_open
        call, self.calls = self.calls, self.calls + 1
        if self.breaks == (call, False):
            raise Broken
        places = [self._commit(record) for record in records]
        if self.breaks == (call, True):
            raise Broken
        return places

    def _commit(self, record: NewRecord) -> tuple[str, int, int]:
        offset = len(self.topic.records)
        key = record.key.encode() if record.key else None
        self.topic.records.append(Record(record.topic, 0, offset, NOW, key, record.value, record.headers))
        return record.topic, 0, offset


@dataclass
class Letters:
    """Pages of two, so that a few letters make several."""

    letters: list[DeadLetter]
    audit: list[AuditRow] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)

    def pages(self, selection: Selection, replay_id: str = "") -> Iterator[list[DeadLetter]]:
        ordered = sorted(self.letters, key=lambda each: (each.reason not in TRANSIENT, each.place))
        chosen = [self._known(each) for each in ordered if _meets(each, selection)]
        for start in range(0, len(chosen), 2):
            yield chosen[start : start + 2]

    def open_intents(self) -> list[dict[str, Any]]:
        closed = {(source_of(row), row["replay_id"]) for row in self._of(Outcome.SENT, Outcome.WITHDRAWN)}
        return [row for row in self._of(Outcome.INTENDED) if (source_of(row), row["replay_id"]) not in closed]

    def record(self, rows: Sequence[AuditRow], token: str) -> None:
        assert token not in self.tokens, "the store would drop these rows as a repeat"
        self.tokens.add(token)
        self.audit += rows

    def _of(self, *outcomes: Outcome) -> list[AuditRow]:
        return [row for row in self.audit if row["outcome"] in outcomes]

    def _known(self, each: DeadLetter) -> DeadLetter:
        sent = self._of(Outcome.SENT)
        attempts = [row["attempt"] for row in sent if _produced(row) == each.place]
        return replace(
            each,
            attempts=max(attempts, default=each.attempts),
            is_replayed=each.is_replayed or any(source_of(row) == each.place for row in sent),
        )


def _meets(each: DeadLetter, selection: Selection) -> bool:
    return (not selection.places or each.place in selection.places) and (
        not selection.reasons or each.reason in selection.reasons
    )


def _produced(row: AuditRow) -> Place:
    return Place(row["produced_topic"], row["produced_partition"], row["produced_offset"])

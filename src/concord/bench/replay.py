"""Recorded visits as records to send: identity and times written into copies of their bytes, many at once."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from concord.bench.content import HEAD_DIGITS, first_eight
from concord.bench.expected import WORD, Total, Totals
from concord.bench.identities import ID_BYTES, id_texts, low_words
from concord.bench.recorded import NOWHERE, Fate, Recorded
from concord.bench.schedule import Schedule
from concord.contracts.events import EventType

Numbers = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Sums = npt.NDArray[np.uint64]

TIME_BYTES = 24
ROUNDS = 100_000
RUNS = 10_000_000
HEAD, OCCURRED, RECEIVED = (np.uint64(weight) for weight in (7, 31, 17))
"""Weights in the sum of times: visitor's number, when it happened, when it was meant to be sent."""
TYPES = len(EventType)
KINDS = len(Fate) * TYPES
TABLES = {Fate.STORED: "events", Fate.LATE: "events_late"}


@dataclass(frozen=True)
class Chunk:
    """Records with numbers in a row, ready to be sent."""

    keys: list[bytes]
    values: list[bytes | None]


@dataclass
class Replay:
    """One run over recorded visits. ``run`` (below ten million) makes its identities unlike those of other runs.

    ``totals`` is what must be at rest once all chunks that were made have arrived.
    """

    recorded: Recorded
    schedule: Schedule
    run: int
    _counts: Sums = field(default_factory=lambda: np.zeros((5, KINDS), np.uint64))
    """Count, cents, content, times and what is added, by fate and event type."""
    _dead: Counter[tuple[str, int]] = field(default_factory=Counter)

    def chunks(self, first: int, last: int) -> Iterator[Chunk]:
        """The records from number ``first`` up to before ``last``, cut where a round ends."""
        size = len(self.recorded)
        while first < last:
            until = min(last, (first // size + 1) * size)
            yield self._chunk(first // size, slice(first % size, first % size + until - first))
            first = until

    def totals(self) -> Totals:
        """What must be at rest once every chunk that was made has arrived."""
        made = Totals()
        for fate in Fate:
            made.count_fate(fate.name.lower(), int(self._counts[0, fate * TYPES : (fate + 1) * TYPES].sum()))
        for fate, table in TABLES.items():
            for number, event_type in enumerate(EventType):
                count, *sums = (int(each) for each in self._counts[:, fate * TYPES + number])
                if count:
                    made.add(f"{table}/{event_type}", Total(count, *sums))
        for (reason, content), count in self._dead.items():
            made.add(f"dead_letters/{reason}", Total(count=count, content=content * count % WORD))
        return made

    def _chunk(self, round_: int, rows: slice) -> Chunk:
        made = _Made(self, round_, rows)
        values = made.values()
        for sums, of_record in zip(self._counts, made.sums(), strict=True):
            np.add.at(sums, made.kinds, of_record)
        for row in np.flatnonzero(made.fate == Fate.DEAD):
            value = values[row]
            self._dead[made.reasons[row], first_eight(value) if value is not None else 0] += 1
        return Chunk(made.keys(), values)


@dataclass
class _Made:
    """The columns of one chunk. ``rows`` lie within one round."""

    replay: Replay
    round_: int
    rows: slice

    def _column(self, name: str) -> Numbers:
        return self.replay.recorded.numbers(name)[self.rows]

    @cached_property
    def fate(self) -> Numbers:
        return self._column("fate")

    @cached_property
    def kinds(self) -> Numbers:
        return self.fate * TYPES + self.replay.recorded.type_numbers[self.rows]

    @cached_property
    def reasons(self) -> npt.NDArray[np.object_]:
        return self.replay.recorded.reasons[self.rows]

    @cached_property
    def head(self) -> int:
        """The number that anonymous ids of this run and round begin with."""
        return self.replay.run % RUNS * ROUNDS + self.round_

    @cached_property
    def _first(self) -> int:
        return self.round_ * len(self.replay.recorded)

    @cached_property
    def _numbers(self) -> Numbers:
        """Each record's number in the run; a copy has its original's."""
        return self._first + self._column("original")

    @cached_property
    def _sent_ms(self) -> Numbers:
        return self.replay.schedule.intended_ms(self._numbers)

    @cached_property
    def _occurred_ms(self) -> Numbers:
        happened = self.replay.recorded.numbers("happened")[self._column("original")]
        return self.replay.schedule.intended_ms(self._first + happened) - self._column("late_ms")

    def sums(self) -> Sums:
        """One column per record: 1, its cents, its hashes of content, of times and of what is added."""
        low = low_words(self.replay.run, self._numbers)
        has_head = self._column("head_at") != NOWHERE
        with np.errstate(over="ignore"):
            times = _words(self._occurred_ms) * OCCURRED + _words(self._sent_ms) * RECEIVED
            times += _words(has_head) * np.uint64(self.head) * HEAD
            hashes = (low * _words(self._column("content")), low * times, low * _words(self._column("added")))
            return np.stack([np.ones_like(low), _words(self._column("cents")), *hashes])

    def values(self) -> list[bytes | None]:
        recorded = self.replay.recorded
        ends = recorded.ends[self.rows.start : self.rows.stop + 1]
        data = recorded.data[ends[0] : ends[-1]].copy()
        begins = ends - ends[0]
        _write(data, begins, self._column("id_at"), id_texts(self.replay.run, self._numbers), ID_BYTES)
        _write(data, begins, self._column("occurred_at"), _time_texts(self._occurred_ms), TIME_BYTES)
        _write(data, begins, self._column("received_at"), _time_texts(self._sent_ms), TIME_BYTES)
        heads = np.broadcast_to(np.frombuffer(self._head_text, np.uint8), (len(self.fate), HEAD_DIGITS))
        _write(data, begins, self._column("head_at"), heads, HEAD_DIGITS)
        return _cut(data.tobytes(), begins.tolist(), recorded.is_null[self.rows].tolist())

    @cached_property
    def _head_text(self) -> bytes:
        return b"%0*d" % (HEAD_DIGITS, self.head)

    def keys(self) -> list[bytes]:
        head, nobody = self._head_text, b"0" * HEAD_DIGITS
        kept = self.replay.recorded.keys[self.rows]
        return [head + key[HEAD_DIGITS:] if key.startswith(nobody) else key for key in kept]


def _words(numbers: npt.NDArray[Any]) -> Sums:
    return numbers.astype(np.uint64)


def _write(data: Bytes, begins: Numbers, places: Numbers, texts: Bytes, width: int) -> None:
    """``texts`` into the values that have a place for them."""
    has = places != NOWHERE
    at = (begins[:-1][has] + places[has])[:, None] + np.arange(width)
    data[at] = texts[has]


def _time_texts(milliseconds: Numbers) -> Bytes:
    """One row of 24 ASCII bytes each: RFC 3339 in UTC with milliseconds."""
    texts = np.full((len(milliseconds), TIME_BYTES), ord("Z"), np.uint8)
    words = np.datetime_as_string(milliseconds.astype("datetime64[ms]"), unit="ms").astype(f"S{TIME_BYTES - 1}")
    texts[:, : TIME_BYTES - 1] = words.view(np.uint8).reshape(len(milliseconds), TIME_BYTES - 1)
    return texts


def _cut(data: bytes, begins: list[int], is_null: list[bool]) -> list[bytes | None]:
    return [
        None if null else data[begin:end] for begin, end, null in zip(begins[:-1], begins[1:], is_null, strict=True)
    ]

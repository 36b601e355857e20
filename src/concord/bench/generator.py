"""The load: a process of its own that sends records when they are meant to be sent, whatever the system does.

Open loop: the schedule is fixed before the first record and does not wait for anybody. A record that goes out late,
because the broker or the machine is busy, keeps the time it was meant for, so the delay counts.
"""

import multiprocessing
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from concord.bench.expected import Totals
from concord.bench.recorded import read
from concord.bench.replay import Chunk, Replay
from concord.bench.schedule import Schedule
from concord.contracts.names import EVENTS_TOPIC
from concord.errors import ConcordError, Unavailable
from concord.gateways.kafka import Kafka

TICK_SECONDS = 0.02
"""Records are handed over in ticks; one waits at most so long."""
LARGEST_CHUNK = 5_000
PRODUCER: dict[str, object] = {
    "linger_ms": 20,
    "queue_buffering_max_messages": 1_000_000,
    "queue_buffering_max_kbytes": 512 << 10,
    "delivery_report_only_error": True,
    "message_max_bytes": 4 << 20,
    # What a broker that was killed had not acknowledged is sent again until it is, in order and once.
    "message_timeout_ms": 600_000,
}
FLUSH_SECONDS = 120.0
ENDS_WITHIN_SECONDS = 30.0


@dataclass(frozen=True)
class Part:
    """Recorded visits on a schedule, under the identities of one ``run``."""

    file: Path
    schedule: Schedule
    run: int


@dataclass(frozen=True)
class Load:
    """What to send: parts, one after the other.

    ``nice`` is asked for and refused quietly where the user may not have it; what it got is in :class:`Sent`.
    """

    parts: Sequence[Part]
    bootstrap: str
    topic: str = EVENTS_TOPIC
    nice: int = -5


@dataclass(frozen=True)
class Sent:
    """What became of a load: everything is acknowledged. ``behind_ms`` is the longest delay against the schedule."""

    totals: Totals
    seconds: float
    behind_ms: float
    cpu_seconds: float
    nice: int
    settings: dict[str, object] = field(default_factory=lambda: dict(PRODUCER))

    def document(self) -> dict[str, Any]:
        """Its figures in JSON's types."""
        figures = {name: value for name, value in asdict(self).items() if name != "totals"}
        return {"records": self.totals.records, "per_second": self.totals.records / self.seconds, **figures}


@dataclass(frozen=True)
class Shared:
    """What the load's process and the one that started it tell each other while it runs."""

    sent: "Synchronized[int]"
    unacknowledged: "Synchronized[int]"
    is_over: "Synchronized[bool]"

    @classmethod
    def of(cls, context: Any) -> "Shared":
        return cls(context.Value("q", 0), context.Value("q", 0), context.Value("b", False))


class Generator:
    """A load under way."""

    def __init__(self, process: Any, shared: Shared, answer: Connection) -> None:
        self._process = process
        self._shared = shared
        self._answer = answer

    @property
    def pid(self) -> int:
        return int(self._process.pid)

    @property
    def sent(self) -> int:
        """Records handed to the client library so far."""
        return self._shared.sent.value

    @property
    def unacknowledged(self) -> int:
        """Records handed to the client library that the broker had not acknowledged when it was last looked at."""
        return self._shared.unacknowledged.value

    def end(self) -> None:
        """Send no more: the schedule ends here."""
        self._shared.is_over.value = True

    def is_running(self) -> bool:
        return bool(self._process.is_alive()) and not self._answer.poll()

    def result(self) -> Sent:
        """Wait for the end. Raises :class:`Unavailable` if not every record was acknowledged."""
        try:
            answer = self._answer.recv()
        except EOFError:
            raise Unavailable("the generator ended without a word", "see its last lines above") from None
        if isinstance(answer, ConcordError):
            raise answer
        assert isinstance(answer, Sent)
        return answer


@contextmanager
def generating(load: Load) -> Iterator[Generator]:
    """The load's process, started; it is ended with the block."""
    context = multiprocessing.get_context("spawn")
    shared = Shared.of(context)
    answer, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(load, shared, theirs), name="generator", daemon=True)
    process.start()
    theirs.close()
    try:
        yield Generator(process, shared, answer)
    finally:
        if not answer.closed and process.is_alive() and not answer.poll():
            process.terminate()
        process.join(ENDS_WITHIN_SECONDS)


def _work(load: Load, shared: Shared, answer: Connection) -> None:
    """The whole life of the process."""
    try:
        answer.send(_send(load, shared))
    except ConcordError as error:
        answer.send(error)


def _send(load: Load, shared: Shared) -> Sent:
    nice = _set_nice(load.nice)
    replays = [Replay(read(part.file), part.schedule, part.run) for part in load.parts]
    delivery = _Delivery(load)
    started = time.time()
    behind = max([_replayed(replay, delivery, shared) for replay in replays], default=0.0)
    delivery.finish()
    times = psutil.Process().cpu_times()
    totals = sum((replay.totals() for replay in replays), start=Totals())
    return Sent(totals, time.time() - started, behind, times.user + times.system, nice)


def _replayed(replay: Replay, delivery: "_Delivery", shared: Shared) -> float:
    """Sent to the end of its schedule, or until it is over; the longest delay against it in milliseconds."""
    behind, before = 0.0, shared.sent.value
    for first, last in _ticks(replay.schedule, shared):
        for chunk in replay.chunks(first, last):
            delivery.send(chunk)
        shared.sent.value = before + last
        shared.unacknowledged.value = delivery.waiting()
        behind = max(behind, _behind(replay.schedule, last))
    return behind


def _ticks(schedule: Schedule, shared: Shared) -> Iterator[tuple[int, int]]:
    """Ranges of record numbers, each given out when its last record is due; none once it is over."""
    first = 0
    while first < schedule.count and not shared.is_over.value:
        last = min(_due(schedule) if schedule.is_paced else schedule.count, first + LARGEST_CHUNK)
        if last > first:
            yield first, last
        first = last
        if schedule.is_paced and last < schedule.count and _due(schedule) - last < LARGEST_CHUNK:
            time.sleep(TICK_SECONDS)


def _due(schedule: Schedule) -> int:
    """How many records are due by now."""
    return schedule.due(time.time() - schedule.start_ms / 1000)


def _set_nice(wanted: int) -> int:
    """The niceness that the process has now: ``wanted``, or what it had where that is not allowed."""
    with suppress(psutil.AccessDenied):
        psutil.Process().nice(wanted)
    return int(psutil.Process().nice() or 0)


def _behind(schedule: Schedule, last: int) -> float:
    """Milliseconds between when the record before ``last`` was meant to go and now."""
    if not schedule.is_paced:
        return 0.0
    return time.time() * 1000 - float(schedule.intended_ms(np.array([last - 1]))[0])


class _Delivery:
    """Records into Kafka; what the broker refuses is raised."""

    def __init__(self, load: Load) -> None:
        self._topic = load.topic
        self._failure = ""
        self._producer = Kafka(load.bootstrap).producer(**PRODUCER)

    def send(self, chunk: Chunk) -> None:
        produce, topic, failed = self._producer.produce, self._topic, self._failed
        for key, value in zip(chunk.keys, chunk.values, strict=True):
            while True:
                try:
                    produce(topic, value=value, key=key, on_delivery=failed)
                    break
                except BufferError:
                    self._producer.poll(0.05)
        self._producer.poll(0)
        self._refuse_failure()

    def waiting(self) -> int:
        """Records not acknowledged yet."""
        return len(self._producer)

    def finish(self) -> None:
        if missing := self._producer.flush(FLUSH_SECONDS):
            raise Unavailable(f"{missing:,} records were not acknowledged within {FLUSH_SECONDS:g} s")
        self._refuse_failure()

    def _failed(self, error: Any, message: Any) -> None:
        self._failure = self._failure or str(error)

    def _refuse_failure(self) -> None:
        if self._failure:
            raise Unavailable(f"Kafka topic {self._topic}: a record was refused: {self._failure}")

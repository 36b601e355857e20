"""One trial: load, a fault, recovery, and everything compared."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any

from concord import bootstrap
from concord.bench.expected import MEASURES, OF_WHAT_WAS_SENT, Totals
from concord.bench.generator import Generator, Load, generating
from concord.bench.held import wait_until_held
from concord.bench.ranges import Since
from concord.chaos.faults import Fault
from concord.chaos.freshness import Look, Recovery, looking
from concord.chaos.ledger import ledger
from concord.chaos.load import Pace, Recordings, Timeline, timetable
from concord.chaos.recount import view_differences
from concord.chaos.scene import Scene, Struck
from concord.chaos.sessions import session_differences
from concord.errors import ConcordError
from concord.gateways.clickhouse import ClickHouse
from concord.settings import Settings

STARTS_IN_SECONDS = 4.0
"""For the generator's process to start and read its files."""
POLL_SECONDS = 0.2
DRAINED_WITHIN_SECONDS = 300.0


@dataclass(frozen=True)
class Trial:
    """What a fault did. ``recovery_seconds`` is None if the speed layer was not fresh again while there was load.

    ``wrong`` is what the fault itself showed, or why the trial could not be ended.
    """

    number: int
    fault: str
    at: datetime
    proof: str
    fresh_within_seconds: float
    recovery_seconds: float | None = None
    records: int = 0
    lost: int = 0
    duplicated: int = 0
    wrong: Sequence[str] = ()
    ledger: Sequence[str] = ()
    views: Sequence[str] = ()
    sessions: Sequence[str] = ()

    @property
    def differences(self) -> list[str]:
        return [*self.wrong, *self.ledger, *self.views, *self.sessions]

    @property
    def is_right(self) -> bool:
        return not (self.differences or self.lost or self.duplicated)

    @property
    def is_in_time(self) -> bool:
        return self.recovery_seconds is not None and self.recovery_seconds <= self.fresh_within_seconds

    def document(self) -> dict[str, Any]:
        """In JSON's types."""
        verdict = {"is_right": self.is_right, "is_in_time": self.is_in_time}
        return {**vars(self), "at": self.at.isoformat(timespec="milliseconds"), **verdict}


@dataclass(frozen=True)
class Stage:
    """A stack that is up, and the load for it. All chance follows from ``seed``.

    What the speed layer adds to events is compared if it enriches with the publication of the recordings.
    """

    settings: Settings
    recordings: Recordings
    pace: Pace
    seed: int
    is_published: bool = False

    def run(self, number: int, fault: Fault) -> Trial:
        """What becomes of one fault. What cannot be ended is a trial too, and a wrong one."""
        began_at = time.time()
        try:
            return self._run(number, fault)
        except ConcordError as error:
            wrong = [": ".join(filter(None, (error.message, error.hint)))]
            return Trial(number, fault.name, _instant(began_at), "", fault.fresh_within_seconds, wrong=wrong)

    def _run(self, number: int, fault: Fault) -> Trial:
        since = Since.now(bootstrap.kafka(self.settings))
        begins_at = time.time() + STARTS_IN_SECONDS
        timed = timetable(fault.legs(self.pace), begins_at)
        timeline = Timeline([schedule for _, schedule in timed])
        load = Load(self.recordings.parts(timed, run=int(begins_at)), self.settings.kafka.bootstrap)
        with generating(load) as generator, looking(lambda: since.held(self._store.position()), timeline) as looks:
            rng = Random(f"{self.seed} {number} {fault.name}")
            scene = Scene(self.settings, self.pace, rng, self._store, since, generator, looks, begins_at)
            struck = fault.strike(scene)
            recovery = Recovery(struck.over_at, timeline.due(struck.over_at) + 1, self._limit_seconds)
            seconds = self._recovered(recovery, looks.taken, generator)
            generator.end()
            sent = generator.result()
        wait_until_held(self._store, since, sent.totals.records, DRAINED_WITHIN_SECONDS)
        return self._judged(number, fault, struck, seconds, since, sent.totals)

    def _recovered(self, recovery: Recovery, looks: Sequence[Look], generator: Generator) -> float | None:
        """Once it is known; None if the load or the patience ended before."""
        deadline = time.time() + self.pace.patience_seconds
        while (seconds := recovery.seconds(looks)) is None:
            if time.time() > deadline or not generator.is_running():
                return None
            time.sleep(POLL_SECONDS)
        return seconds

    def _judged(
        self, number: int, fault: Fault, struck: Struck, seconds: float | None, since: Since, sent: Totals
    ) -> Trial:
        book = ledger(self._store, since, sent, MEASURES if self.is_published else OF_WHAT_WAS_SENT)
        return Trial(
            number=number,
            fault=fault.name,
            at=_instant(struck.at),
            proof=struck.proof,
            fresh_within_seconds=fault.fresh_within_seconds,
            recovery_seconds=None if seconds is None else round(seconds, 1),
            records=book.records,
            lost=book.lost,
            duplicated=book.duplicated,
            wrong=struck.wrong,
            ledger=book.differences,
            views=view_differences(self._store),
            sessions=session_differences(self._store, since),
        )

    @property
    def _limit_seconds(self) -> float:
        return self.settings.telemetry.freshness_target_seconds

    @property
    def _store(self) -> ClickHouse:
        return bootstrap.clickhouse(self.settings, "admin")


def _instant(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)

"""The speed layer under load: rate, freshness, CPU and memory, and whether every record is accounted for."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from concord import bootstrap
from concord.bench import at_rest, batches
from concord.bench.accounting import Accounts
from concord.bench.expected import MEASURES, OF_WHAT_WAS_SENT, differences
from concord.bench.freshness import freshness, probing
from concord.bench.generator import Generator, Load, Part, Sent, generating
from concord.bench.held import wait_until_held
from concord.bench.observe import Moment, flow, watching
from concord.bench.own_stack import SPEED, pids
from concord.bench.publication import Publication
from concord.bench.ranges import Since
from concord.bench.schedule import Schedule, backlog, bursts, steady
from concord.gateways.clickhouse import ClickHouse
from concord.platform.supervisord import Supervisord
from concord.settings import Settings

HOPS = {"broker": "kafka", "spark": SPEED, "clickhouse": "clickhouse"}
"""Hops as ``concord capacity`` knows them, and their engines."""
STARTS_IN_SECONDS = 4.0
"""For the generator's process to start and read its file."""
PATIENCE_SECONDS = 180.0
Say = Callable[[str], None]


@dataclass(frozen=True)
class Burst:
    """So many times the rate for some seconds in the middle of a run."""

    factor: float
    seconds: float


@dataclass(frozen=True)
class Measured:
    """One run: its figures, what was found wrong, and the cost of each hop."""

    figures: Mapping[str, Any]
    differences: Sequence[str]
    hops: Mapping[str, Any]


@dataclass(frozen=True)
class Bench:
    """Runs against one stack that is up. ``published`` is what its speed layer enriches with, None if that is not
    known: what it adds is not compared then."""

    settings: Settings
    file: Path
    say: Say = lambda text: None
    published: Publication | None = None

    def paced(self, per_second: float, seconds: float, burst: Burst | None = None) -> Measured:
        """Records at a rate; freshness of each, and whether the lag stays."""
        start_ms = round((time.time() + STARTS_IN_SECONDS) * 1000)
        if burst:
            schedule = bursts(per_second, seconds, burst.factor, burst.seconds, start_ms)
        else:
            schedule = steady(per_second, seconds, start_ms)
        with probing(self._store("reader")) as seen:
            run = self._run(schedule, lambda: None)
        fresh = freshness(self._store("admin"), run.since, seen, start_ms)
        begins = STARTS_IN_SECONDS
        flat = flow(run.moments, begins + min(10.0, seconds / 4), begins + seconds, per_second)
        figures = {
            "per_second_intended": per_second,
            "burst": asdict(burst) if burst else None,
            "flow": asdict(flat) if flat else None,
            "caught_up_seconds": run.drained_at - start_ms / 1000 - seconds,
            "freshness_seconds": fresh,
            **run.figures(),
        }
        return Measured(figures, self._wrong(run), run.hops())

    def drained(self, count: int, per_second: float, start: Callable[[], None]) -> Measured:
        """A backlog of ``count`` records, as if they had come at this rate until now; then ``start`` is called."""
        schedule = backlog(count, per_second, round(time.time() * 1000))
        run = self._run(schedule, start)
        ended = [batch.ended_at for batch in run.batches]
        figures = {
            "records_per_second": batches.drained_per_second(run.batches),
            "with_start_per_second": count / (max(ended) - run.started_at) if ended else None,
            **run.figures(),
        }
        return Measured(figures, self._wrong(run), run.hops())

    def _run(self, schedule: Schedule, after_sending: Callable[[], None]) -> "Run":
        kafka = bootstrap.kafka(self.settings)
        since, store = Since.now(kafka), self._store("admin")
        accounts = Accounts.of(self._pids())
        idle = accounts.weigh(), dict(accounts.peak_by_engine)
        part = Part(self.file, schedule, run=int(time.time()))
        load = Load([part], self.settings.kafka.bootstrap)
        with generating(load) as generator:
            accounts.begin()
            with watching(store, since, accounts, self._pids, lambda: generator.sent) as watched:
                sent = self._sent(generator)
                if not schedule.is_paced:
                    accounts.begin()
                started_at = time.time()
                after_sending()
                drained_at = wait_until_held(store, since, sent.totals.records, PATIENCE_SECONDS)
                cpu, programs = accounts.seconds(), accounts.by_program()
        log = Supervisord(self.settings.home).log_of(SPEED)
        began_at = started_at if not schedule.is_paced else schedule.start_ms / 1000
        return Run(
            run=part.run,
            since=since,
            sent=sent,
            started_at=started_at,
            drained_at=drained_at,
            moments=watched.moments,
            batches=batches.of_log(log, began_at),
            cpu_seconds=cpu,
            program_seconds=programs,
            idle_bytes=idle[1],
            peak_bytes=accounts.peak_bytes,
            peak_by_engine=dict(accounts.peak_by_engine),
        )

    def _sent(self, generator: Generator) -> Sent:
        self.say(f"sending (pid {generator.pid})")
        sent = generator.result()
        self.say(f"sent {sent.totals.records:,} records")
        return sent

    def _wrong(self, run: "Run") -> list[str]:
        store = self._store("admin")
        self.say("comparing what is at rest with what was sent")
        measures = MEASURES if self.published else OF_WHAT_WAS_SENT
        rows = differences(run.sent.totals, at_rest.totals(store, run.since), measures)
        return [*rows, *at_rest.session_differences(store, run.run, self.published)]

    def _pids(self) -> dict[str, int]:
        return pids(self.settings)

    def _store(self, user: str) -> ClickHouse:
        return bootstrap.clickhouse(self.settings, user)


@dataclass(frozen=True)
class Run:
    """What one run left, before it is judged."""

    run: int
    since: Since
    sent: Sent
    started_at: float
    drained_at: float
    moments: Sequence[Moment]
    batches: Sequence[batches.Batch]
    cpu_seconds: Mapping[str, float]
    program_seconds: Mapping[str, float]
    idle_bytes: Mapping[str, int]
    peak_bytes: int
    peak_by_engine: Mapping[str, int]

    @property
    def records(self) -> int:
        return self.sent.totals.records

    def figures(self) -> dict[str, Any]:
        """What every kind of run has."""
        return {
            "records": self.records,
            "fates": dict(self.sent.totals.fates),
            "generator": self.sent.document(),
            "cpu_us_per_event": self._per_event(sum(self.cpu_seconds.values())),
            "speed_layer_cpu_us_per_event": self._per_event(sum(self.cpu_seconds.get(e, 0.0) for e in HOPS.values())),
            "cpu_us_per_event_by_engine": {name: self._per_event(used) for name, used in self.cpu_seconds.items()},
            "cpu_us_per_event_by_program": {name: self._per_event(used) for name, used in self.program_seconds.items()},
            "memory_peak_bytes": self.peak_bytes,
            "memory_peak_bytes_by_engine": dict(self.peak_by_engine),
            "micro_batches": batches.summary(self.batches),
            "moments": [{**asdict(moment), "lag": moment.lag} for moment in self.moments],
        }

    def hops(self) -> dict[str, Any]:
        """The costs that ``concord capacity`` sizes a system with."""
        largest = max((batch.records for batch in self.batches), default=0)
        return {hop: self._hop(hop, engine, largest) for hop, engine in HOPS.items() if engine in self.cpu_seconds}

    def _hop(self, hop: str, engine: str, largest: int) -> dict[str, float]:
        idle, peak = self.idle_bytes.get(engine, 0), self.peak_by_engine.get(engine, 0)
        costs = {"cpu_us_per_event": self._per_event(self.cpu_seconds[engine]), "memory_bytes": float(idle or peak)}
        if idle and largest:
            costs["memory_bytes_per_event"] = max(0.0, (peak - idle) / largest)
        if hop == "spark" and self.batches:
            costs["serial_us_per_event"] = float(batches.summary(self.batches)["worker_us_per_event"])
        return costs

    def _per_event(self, seconds: float) -> float:
        return round(seconds / self.records * 1e6, 2)

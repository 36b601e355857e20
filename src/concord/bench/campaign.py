"""Benchmarks from beginning to end: a stack, a warm-up, the runs, the peers, one document."""

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from concord import bootstrap
from concord.bench import recorded
from concord.bench.beside import Beside, lake_differences, working
from concord.bench.history import fill
from concord.bench.own_stack import SPEED_STORES, own_stack, start_speed, stop_speed
from concord.bench.peers import Peer, clickhouse_kafka, flink
from concord.bench.publication import Publication, publication
from concord.bench.questions import asking
from concord.bench.ranges import Since
from concord.bench.record import Recording, record
from concord.bench.result import Checks, Result, Setting, setting
from concord.bench.speed import Bench, Burst, Measured, Say
from concord.errors import ConcordError
from concord.platform.lifecycle import Watcher
from concord.settings import Settings
from concord.telemetry.clock import now

COMPARED = (
    "by event type and table: rows, money, and hashes over every column, what is added of a seeded publication (tier, "
    "category, price) among them, and both times; dead letters by reason with their original bytes; what the speed layer "
    "counted; sessions against events and their users' tiers, funnels by tier against sessions"
)
COMPARED_OF_A_RUNNING_STACK = (
    "by event type and table: rows, money, and hashes over every column that was sent and both times; dead letters by "
    "reason with their original bytes; what the speed layer counted; sessions against events, funnels by tier against "
    "sessions. What is added of the stack's own publication (tier, category, price) is not compared"
)
FEWEST_RUNS = 100
"""Of a question, for its percentiles to mean something."""
PEERS: Mapping[Peer, Callable[[Settings, Since], dict[str, Any]]] = {
    Peer.CLICKHOUSE_KAFKA_ENGINE: clickhouse_kafka.drained,
    Peer.FLINK: flink.drained,
}


@dataclass(frozen=True)
class Plan:
    """One call of ``concord bench speed``."""

    name: str
    command: str
    per_second: float
    seconds: float
    backlog: int = 0
    burst: Burst | None = None
    warm_seconds: float = 0.0
    runs: int = 1
    beside: Beside = Beside.NOTHING
    peers: tuple[Peer, ...] = ()
    is_running: bool = False
    keeps: bool = False


def record_to(file: Path, recording: Recording, count: int) -> dict[str, Any]:
    """Write a file of recorded visits and its sidecar: what must become of ``count`` records sent from it."""
    recorded.write(file, record(recording))
    written = recorded.read(file)
    sidecar = {
        "recording": recording.notes(),
        "records": count,
        "fates": written.fates(count),
        "dead_letters": written.reason_counts(count),
        "event_types": written.type_counts(count),
        "bytes_per_event": round(written.bytes_per_event, 1),
    }
    file.with_suffix(".json").write_bytes(orjson.dumps(sidecar, option=orjson.OPT_INDENT_2))
    return sidecar


def recorded_file(settings: Settings, given: Path | None, say: Say) -> Path:
    """The file that is given, or the usual recording in the cache folder, made at the first call."""
    if given is not None:
        return given
    recording = Recording()
    file = settings.cache / "bench" / recording.file_name()
    if not file.exists():
        say(f"recording {recording.events:,} events to {file}")
        record_to(file, recording, recording.events)
    return file


def speed(settings: Settings, file: Path, plan: Plan, watcher: Watcher, say: Say) -> dict[str, Any]:
    """The result's document; a run whose checks fail makes it void."""
    taken = setting(settings)
    published = None if plan.is_running else publication(recorded.read(file).seed)
    with _stack(settings, plan, published, watcher) as stack:
        bench = Bench(stack, file, say, published)
        since = Since.now(bootstrap.kafka(stack))
        drained = _drained(bench, plan, watcher, say)
        paced = _paced(bench, plan, say)
        beside = _beside(stack, plan, since)
        peers = _peers(stack, plan, since, watcher, say)
    runs = [*([drained] if drained else []), *paced]
    wrong = [difference for run in runs for difference in run.differences] + beside
    middle = _median(paced) or drained
    assert middle is not None
    figures = {
        "guarantee": "effectively once",
        "beside": str(plan.beside),
        "events": {"file": file.name, "bytes_per_event": round(recorded.read(file).bytes_per_event, 1)},
        "publication": published.notes() if published else None,
        "backlog": drained.figures if drained else None,
        "paced": middle.figures if paced else None,
        "all_paced_runs": [_short(run.figures) for run in paced],
        "peers": peers,
    }
    compared = COMPARED if published else COMPARED_OF_A_RUNNING_STACK
    return _document(plan, taken, figures, Checks(compared, wrong), middle.hops)


@contextmanager
def _stack(settings: Settings, plan: Plan, published: Publication | None, watcher: Watcher) -> Iterator[Settings]:
    """The stack that runs, or one of the benchmark's own, which holds the publication before its speed layer starts."""
    if published is None:
        yield settings
        return
    with own_stack(settings, plan.beside.stores, watcher, plan.keeps) as own:
        published.publish(bootstrap.clickhouse(own, "admin"))
        if not plan.backlog:
            start_speed(own, watcher)
        yield own


def _drained(bench: Bench, plan: Plan, watcher: Watcher, say: Say) -> Measured | None:
    """The backlog waits while the speed layer is stopped."""
    if not plan.backlog:
        return None
    if plan.is_running:
        stop_speed(bench.settings)
    say(f"backlog of {plan.backlog:,}")
    return bench.drained(plan.backlog, plan.per_second, lambda: start_speed(bench.settings, watcher))


def _paced(bench: Bench, plan: Plan, say: Say) -> list[Measured]:
    whole = plan.warm_seconds + plan.runs * plan.seconds
    with working(bench.settings, plan.beside, whole * 2 + 60):
        if plan.warm_seconds:
            say(f"warm-up: {plan.per_second:,.0f}/s for {plan.warm_seconds:g} s")
            bench.paced(plan.per_second, plan.warm_seconds)
        made = []
        for number in range(plan.runs):
            say(f"run {number + 1} of {plan.runs}: {plan.per_second:,.0f}/s for {plan.seconds:g} s")
            made.append(bench.paced(plan.per_second, plan.seconds, plan.burst))
        return made


def _beside(stack: Settings, plan: Plan, since: Since) -> list[str]:
    if plan.beside is Beside.NOTHING:
        return []
    sent = since.held(bootstrap.kafka(stack).end_position([since.topic]))
    return lake_differences(stack, since, sent)


def _median(runs: Sequence[Measured]) -> Measured | None:
    """The run whose CPU per event is in the middle."""
    if not runs:
        return None
    costs = [run.figures["cpu_us_per_event"] for run in runs]
    middle = statistics.median_low(costs)
    return runs[costs.index(middle)]


def _short(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is there once a second."""
    fresh = {name: value for name, value in figures["freshness_seconds"].items() if name != "timeline"}
    kept = ("flow", "caught_up_seconds", "cpu_us_per_event", "speed_layer_cpu_us_per_event", "memory_peak_bytes")
    return {"freshness_seconds": fresh, **{name: figures[name] for name in kept}}


def _peers(stack: Settings, plan: Plan, since: Since, watcher: Watcher, say: Say) -> dict[str, Any]:
    """Each on the same topic from its beginning on, with the speed layer stopped."""
    if not plan.peers:
        return {}
    stop_speed(stack)
    answers = {}
    for peer in plan.peers:
        say(f"peer: {peer}")
        answers[str(peer)] = _tried(lambda peer=peer: PEERS[peer](stack, since))  # type: ignore[misc]
    if plan.is_running:
        start_speed(stack, watcher)
    return answers


def _tried(run: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """A peer that cannot be run here is a result too: the command that failed, and how."""
    try:
        return run()
    except ConcordError as error:
        return {"failed": error.message, "detail": error.hint}


def hop(settings: Settings, plan: Plan, watcher: Watcher, measure: Callable[[Settings], Measured]) -> dict[str, Any]:
    """One hop alone, on a stack of its own."""
    taken = setting(settings)
    with own_stack(settings, SPEED_STORES, watcher, plan.keeps) as own:
        measured = measure(own)
    return _document(
        plan, taken, measured.figures, Checks("every record counted at the other end", measured.differences)
    )


def queries(settings: Settings, file: Path, plan: Plan, events: int, watcher: Watcher, say: Say) -> dict[str, Any]:
    """A filled stack under load, asked what a dashboard asks."""
    taken = setting(settings)
    published = publication(recorded.read(file).seed)
    with own_stack(settings, SPEED_STORES, watcher, plan.keeps) as own:
        store = bootstrap.clickhouse(own, "admin")
        filled = fill(store, events, int(now().timestamp()), say)
        published.publish(store)
        start_speed(own, watcher)
        bench = Bench(own, file, say, published)
        if plan.warm_seconds:
            bench.paced(plan.per_second, plan.warm_seconds)
        with asking(bootstrap.clickhouse(own, "reader")) as answers:
            run = bench.paced(plan.per_second, plan.seconds)
    figures = {
        "publication": published.notes(),
        "rows_before": filled,
        "answers": answers.figures(),
        "ingest": _short(run.figures),
    }
    few = [name for name, each in answers.seconds.items() if len(each) < FEWEST_RUNS]
    wrong = [f"{name}: fewer than {FEWEST_RUNS} runs" for name in few]
    return _document(plan, taken, figures, Checks(COMPARED, [*run.differences, *wrong]))


def _document(
    plan: Plan, taken: Setting, figures: Mapping[str, Any], checks: Checks, hops: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    at = now().isoformat(timespec="seconds")
    return Result(plan.name, at, plan.command, figures, checks, **vars(taken), hops=hops or {}).document()


def shown(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The figures of a document that fit a terminal, deepest name first."""
    return [(name, value) for name, value in _flat("", document["result"]) if value != ""]


def _flat(prefix: str, value: Any) -> Iterator[tuple[str, str]]:
    match value:
        case dict():
            for name, inner in value.items():
                yield from _flat(f"{prefix}.{name}" if prefix else name, inner)
        case list() | None:
            return
        case float():
            yield prefix, f"{value:,.3f}"
        case int():
            yield prefix, f"{value:,}"
        case _:
            yield prefix, str(value)

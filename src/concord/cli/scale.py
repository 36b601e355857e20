"""``concord scale``: how many executors the speed layer wants, from what it records while it works.

Locally there is one executor and nothing to change, so this is advice; in a cluster the same policy
changes the application.
"""

import json
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

from concord import bootstrap
from concord.cli.numbers import positive
from concord.cli.output import AsJson, console, print_json, table
from concord.cli.stream import checkpoints, ready_file
from concord.contracts.derived import SPEED_POSITION
from concord.contracts.names import EVENTS_QUERY as QUERY
from concord.contracts.names import EVENTS_TOPIC
from concord.errors import Unavailable
from concord.gateways.clickhouse import ClickHouse
from concord.rules.load import Observation
from concord.rules.scaling import Advice, advise
from concord.rules.scaling_settings import ScalingSettings
from concord.settings import Settings, load_settings
from concord.speed.checkpoints.folder import Folder
from concord.speed.checkpoints.standing import OFFSETS, began
from concord.telemetry.clock import now

LOCAL_EXECUTORS = 1
LOCAL_MASTER = re.compile(r"local\[(\d+)\]")
LAST_BATCH = f"""
    select batch_id, sum(records_in), max(written_at) from {SPEED_POSITION.name}
    where query = {{query:String}}
      and batch_id = (select max(batch_id) from {SPEED_POSITION.name} where query = {{query:String}})
    group by batch_id
"""
NEVER = "never"


@dataclass(frozen=True)
class Batch:
    """The last micro-batch that was stored."""

    batch_id: int
    records: int
    seconds: float


NO_BATCH = Batch(-1, 0, 0.0)


@dataclass(frozen=True)
class Sample:
    """Where the stream was at one moment, counted from the topic's beginning."""

    at_seconds: float
    arrived: int
    lag: int
    batch: Batch | None


def scale(
    seconds: Annotated[float, positive("--seconds", "How long to watch.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Watch the speed layer for a moment and say how many executors its load wants, and why."""
    settings = load_settings()
    started_at = running_since(ready_file(settings))
    with console.status(f"watching for {seconds:g} s …"):
        observations = observed(list(samples(settings, seconds)), settings.spark.trigger_seconds)
    running_seconds = (now() - started_at).total_seconds()
    advice = advise(observations, scaling_settings(settings), running_seconds)
    if as_json:
        print_json(document(observations, advice))
    else:
        show(observations[-1], advice)


def running_since(ready: Path) -> datetime:
    """When the speed layer started. Raises :class:`Unavailable` if it is not running."""
    try:
        return datetime.fromisoformat(json.loads(ready.read_bytes())["started_at"])
    except FileNotFoundError:
        raise Unavailable("the speed layer is not running, so there is nothing to watch", "concord up") from None


def scaling_settings(settings: Settings) -> ScalingSettings:
    """The policy's defaults, with the topic's partitions and the executor's cores as they are."""
    partitions = bootstrap.kafka(settings).partitions()[EVENTS_TOPIC]
    return ScalingSettings(partitions=partitions, cores_per_executor=cores_of(settings.spark.master))


def cores_of(master: str) -> int:
    """Cores of the one local executor; 1 for any other kind of master."""
    local = LOCAL_MASTER.fullmatch(master)
    return int(local.group(1)) if local else 1


def samples(settings: Settings, seconds: float) -> Iterator[Sample]:
    """Two at least, one per trigger interval."""
    steps = max(1, round(seconds / settings.spark.trigger_seconds))
    yield sample(settings)
    for _ in range(steps):
        time.sleep(min(seconds, settings.spark.trigger_seconds))
        yield sample(settings)


def sample(settings: Settings) -> Sample:
    """The position first, then Kafka's end: the lag is never too small."""
    store = bootstrap.clickhouse(settings, "reader")
    held = store.position().of_topic(EVENTS_TOPIC)
    end = bootstrap.kafka(settings).end_position([EVENTS_TOPIC])
    return Sample(
        at_seconds=time.monotonic(),
        arrived=sum(offset + 1 for _, _, offset in end),
        lag=sum(max(0, offset - held[key]) for key, offset in end.offsets.items()),
        batch=last_batch(store, checkpoints(settings)),
    )


def last_batch(store: ClickHouse, kept: Folder) -> Batch | None:
    """The last micro-batch: what it held says ClickHouse, when it began says Spark's own log of offsets."""
    for batch_id, records, written_at in store.query(LAST_BATCH, {"query": QUERY}):
        if started_at := began(kept.read(f"{QUERY}/{OFFSETS}/{batch_id}")):
            return Batch(batch_id, records, max(0.0, written_at.timestamp() - started_at))
    return None


def observed(found: Sequence[Sample], trigger_seconds: float) -> list[Observation]:
    """What happened between each two samples."""
    return [_observation(earlier, later, trigger_seconds) for earlier, later in pairwise(found)]


def _observation(earlier: Sample, later: Sample, trigger_seconds: float) -> Observation:
    batch = later.batch or NO_BATCH
    return Observation(
        at_seconds=later.at_seconds,
        input_per_second=(later.arrived - earlier.arrived) / (later.at_seconds - earlier.at_seconds),
        processed_per_second=batch.records / batch.seconds if batch.seconds else 0.0,
        lag_records=later.lag,
        batch_id=batch.batch_id,
        batch_seconds=batch.seconds,
        trigger_seconds=trigger_seconds,
        executors=LOCAL_EXECUTORS,
    )


def document(observations: Sequence[Observation], advice: Advice) -> dict[str, Any]:
    """What was seen and what follows, in JSON's types."""
    why = {"reason": advice.reason.name.lower(), "why": advice.reason.value}
    return {"advice": {**asdict(advice), **why}, "observations": [asdict(seen) for seen in observations]}


def show(last: Observation, advice: Advice) -> None:
    """The last moment and the advice."""
    console.print(table("Speed layer", ("measured", "value"), measured(last, advice)))
    verb = "change to" if advice.is_change else "stay with"
    console.print(f"{verb} {advice.executors} executor(s): {advice.reason}")


def measured(last: Observation, advice: Advice) -> list[tuple[str, str]]:
    """Names and values with their units."""
    drain = advice.expected_drain_seconds
    return [
        ("events arriving", f"{last.input_per_second:,.0f}/s"),
        ("processed while a batch runs", f"{last.processed_per_second:,.0f}/s"),
        ("waiting", f"{last.lag_records:,} ({advice.lag_per_second:+,.0f}/s)"),
        ("last micro-batch", f"{last.batch_seconds:.1f} s of {last.trigger_seconds:g} s"),
        ("share of the time the input takes", "–" if advice.share is None else f"{advice.share:.0%}"),
        ("drained in", NEVER if drain is None else f"{drain:,.0f} s"),
        ("executors", f"{advice.now}"),
    ]

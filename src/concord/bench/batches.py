"""What the speed layer said of its micro-batches, read from its log."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from concord.bench.at_rest import QUERY
from concord.bench.percentiles import percentiles
from concord.rules.bottleneck import Part
from concord.rules.capacity import MICROSECONDS


@dataclass(frozen=True)
class Batch:
    """One micro-batch of events. ``worker_seconds`` is the part that one task does alone."""

    batch_id: int
    records: int
    ended_at: float
    seconds: float
    worker_seconds: float
    sessions_open: int
    state_bytes: int


def batches(lines: Iterable[str], since: float = 0.0) -> list[Batch]:
    """The micro-batches of events that ended after ``since`` (epoch seconds); other lines are passed over."""
    found = (_batch(line) for line in lines if '"micro_batch"' in line)
    return [batch for batch in found if batch is not None and batch.ended_at > since and batch.records]


def of_log(log: Path, since: float) -> list[Batch]:
    """From the log and its rotated predecessors, the oldest first."""
    files = sorted(log.parent.glob(f"{log.name}*"), key=lambda path: path.stat().st_mtime)
    lines = (line for file in files for line in file.read_text(errors="replace").splitlines())
    return batches(lines, since)


def _batch(line: str) -> Batch | None:
    try:
        said: dict[str, Any] = json.loads(line[line.index("{") :])
    except ValueError:
        return None
    if said.get("event") != "micro_batch" or said.get("query") != QUERY:
        return None
    return Batch(
        batch_id=int(said["batch_id"]),
        records=int(said["records_in"]),
        ended_at=datetime.fromisoformat(said["timestamp"]).timestamp(),
        seconds=(said["data_ms"] + said["position_ms"]) / 1000,
        worker_seconds=float(said.get("worker_seconds", 0.0)),
        sessions_open=int(said.get("sessions_open", 0)),
        state_bytes=int(said.get("state_bytes", 0)),
    )


def summary(found: Sequence[Batch]) -> Mapping[str, Any]:
    """Durations in seconds, records, and the time per record that cannot be shared among cores."""
    if not found:
        return {"batches": 0}
    records = sum(batch.records for batch in found)
    return {
        "batches": len(found),
        "records_per_batch": records / len(found),
        "seconds": percentiles([batch.seconds for batch in found]),
        "worker_us_per_event": sum(batch.worker_seconds for batch in found) / records * 1e6,
        "sessions_open": found[-1].sessions_open,
        "state_bytes": found[-1].state_bytes,
    }


def parts(summary: Mapping[str, Any]) -> Mapping[str, float]:
    """Seconds of the middle micro-batch of a :func:`summary` by part, as the rule of a bottleneck takes them."""
    if not summary.get("batches"):
        return {}
    whole = float(summary["seconds"]["p50"])
    store = min(whole, summary["worker_us_per_event"] * summary["records_per_batch"] / MICROSECONDS)
    return {Part.READ: whole - store, Part.STORE: store}


def drained_per_second(found: Sequence[Batch]) -> float | None:
    """Records per second from the end of the first micro-batch to the end of the last; None with fewer than two."""
    if len(found) < 2:
        return None
    return sum(batch.records for batch in found[1:]) / (found[-1].ended_at - found[0].ended_at)

"""What the protocol of measuring asks for, and where a result was made without it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from concord.bench.tables import markdown_table

RUNS = 3
LARGEST_LOAD = 0.3
HEAD = f"""\
The protocol asks for a warm-up and {RUNS} runs, their median and spread, a load below {LARGEST_LOAD} before each, and dropped
caches. `concord bench` drops no caches: that is open for every result. What else was not kept:
"""

Document = Mapping[str, Any]


def departures(document: Document) -> list[str]:
    """In words; empty if runs and load are as they should be."""
    return list(_departures(document))


def _departures(document: Document) -> Iterator[str]:
    if (runs := runs_of(document)) < RUNS:
        yield f"{runs} of {RUNS} runs{', no spread' if runs == 1 else ''}"
    elif document["result"].get("backlog"):
        yield f"one drain, not {RUNS}"
    if (load := document["load_before"]["load_1m"]) >= LARGEST_LOAD:
        yield f"load {load:.2f} before it, {LARGEST_LOAD} at most"


def runs_of(document: Document) -> int:
    """How often the measurement was repeated. A drain, a hop, the questions, a batch and each fault come once."""
    return len(document["result"].get("all_paced_runs") or ()) or 1


def kept(documents: Sequence[Document]) -> Iterator[str]:
    """A row per result."""
    yield HEAD
    rows = [_row(document) for document in documents]
    yield from markdown_table(("result", "runs", "load before (1 minute)", "not kept"), rows)


def _row(document: Document) -> tuple[str, ...]:
    name, load = document["name"], document["load_before"]["load_1m"]
    shown = f"{load:.2f}" if load < LARGEST_LOAD else f"**{load:.2f}**"
    return (f"[{name}](#{name})", f"{runs_of(document)}", shown, "; ".join(departures(document)) or "–")


def spread(runs: Sequence[Document]) -> str | None:
    """Least and largest over several runs of one measurement; None if there was one."""
    if len(runs) < 2:
        return None
    cpu = sorted(run["speed_layer_cpu_us_per_event"] for run in runs)
    p50, p99 = (sorted(run["freshness_seconds"][name] for run in runs) for name in ("p50", "p99"))
    return (
        f"{len(runs)} runs: CPU {cpu[0]:.1f} to {cpu[-1]:.1f} µs per event, fresh after {p50[0]:.2f} to {p50[-1]:.2f} s "
        f"(median), {p99[0]:.2f} to {p99[-1]:.2f} s (99 %)"
    )

"""The page of results: one section per document, with tables, plots and how to run it again."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from concord.bench.batch import page as of_batch
from concord.bench.plots import plots
from concord.bench.tables import markdown_table

PAGE = "README.md"
MIB = 1 << 20
HEAD = """\
# Benchmarks

Written by `concord bench report` from the JSON files beside it; [how to run them](../howto/benchmarks.md). Figures of
different runs or machines must not be compared without running both again. A run whose checks fail is void.
"""
NONE = "No results yet.\n"

Document = Mapping[str, Any]


def write(folder: Path) -> Path:
    """The page and its plots, out of every result in ``folder``."""
    documents = [json.loads(path.read_bytes()) for path in sorted(folder.glob("*.json"))]
    for document in documents:
        for name, draw in plots(document).items():
            draw(folder / name)
    page = folder / PAGE
    page.write_text(HEAD + "".join(map(section, documents)) if documents else HEAD + "\n" + NONE)
    return page


def section(document: Document) -> str:
    """One result in Markdown."""
    return "\n".join(["", *_lines(document), ""])


def _lines(document: Document) -> Iterator[str]:
    yield f"## {document['name']}"
    yield from _context(document)
    if document["is_void"]:
        yield from ("**Void.** " + "; ".join(document["checks"]["differences"][:10]), "")
    result = document["result"]
    for title in ("backlog", "paced"):
        if figures := result.get(title):
            yield from _run(title, figures)
    if document["hops"]:
        yield from _hops(document["hops"])
    if peers := result.get("peers"):
        yield from _peers(peers)
    if answers := result.get("answers"):
        yield from _answers(answers)
    if "steps" in result:
        yield from of_batch.lines(document)
    if trials := result.get("trials"):
        yield from _trials(trials)
    if not {"paced", "answers", "steps", "trials"} & set(result):
        yield from markdown_table(("figure", "value"), list(_plain("", result)))
    yield from (f"![{name}]({name})\n" for name in plots(document))


def _context(document: Document) -> Iterator[str]:
    machine, load = document["machine"], document["load_before"]
    memory = machine["memory_bytes"] / (MIB << 10)
    yield f"`{document['command']}`, {document['measured_at']}."
    yield ""
    yield f"Machine: {machine['cores']} × {machine['cpu']}, {memory:.0f} GiB, {machine['system']}; before the run a load of"
    yield f"{load['load_1m']:.2f} (5 minutes: {load['load_5m']:.2f}), {load['busy_percent']:.0f} % of the CPU in use."
    yield f"Checked: {document['checks']['compared']}."
    yield ""


def _run(title: str, figures: Document) -> Iterator[str]:
    rows = [row for row in _rows(figures) if row[1] is not None]
    yield from markdown_table((title, ""), [(name, str(value)) for name, value in rows])


def _rows(figures: Document) -> Iterator[tuple[str, Any]]:
    """What a reader looks for first; the rest is in the document."""
    flow, fresh = figures.get("flow") or {}, figures.get("freshness_seconds") or {}
    yield "records", f"{figures['records']:,}"
    if "records_per_second" in figures:
        yield "drained, after the first micro-batch", _number(figures["records_per_second"], "/s")
        yield "drained, the start included", _number(figures["with_start_per_second"], "/s")
    if flow:
        yield "intended rate", _number(figures["per_second_intended"], "/s")
        yield "held rate", _number(flow["held_per_second"], "/s")
        yield "lag", f"{'flat' if flow['is_flat'] else 'grows'}, at most {flow['largest_lag']:,} records"
    if fresh:
        yield "fresh after (p50, p95, p99, all)", " · ".join(f"{fresh[n]:.2f} s" for n in ("p50", "p95", "p99", "max"))
    yield "CPU of the speed layer", f"{figures['speed_layer_cpu_us_per_event']:.1f} µs per event"
    yield "CPU of everything", f"{figures['cpu_us_per_event']:.1f} µs per event"
    yield "memory, summed PSS at its peak", f"{figures['memory_peak_bytes'] / MIB:,.0f} MiB"
    yield "micro-batch", _batches(figures["micro_batches"])
    yield "generator behind, at most", f"{figures['generator']['behind_ms']:.0f} ms"
    yield "fates", ", ".join(f"{count:,} {fate}" for fate, count in figures["fates"].items())


def _number(value: float | None, unit: str) -> str | None:
    return None if value is None else f"{value:,.0f}{unit}"


def _batches(summary: Document) -> str | None:
    if not summary.get("batches"):
        return None
    seconds = summary["seconds"]
    return f"{summary['records_per_batch']:,.0f} records; {seconds['p50']:.2f} s, p95 {seconds['p95']:.2f} s"


def _hops(hops: Document) -> Iterator[str]:
    rows = [(hop, f"{cost['cpu_us_per_event']:.1f}") for hop, cost in hops.items()]
    yield from markdown_table(("hop", "µs of CPU per event"), rows)


def _peers(peers: Document) -> Iterator[str]:
    columns = ("peer", "records/s", "µs of CPU per event", "peak MiB", "guarantee", "lacks")
    yield "The same topic, drained by others in the same run:\n"
    yield from markdown_table(columns, [_peer(name, figures) for name, figures in peers.items()])


def _peer(name: str, figures: Document) -> tuple[str, ...]:
    if "failed" in figures:
        detail = " ".join(str(figures["detail"]).split())
        return (name, "–", "–", "–", f"failed: `{figures['failed']}`", detail[-300:].replace("|", "/"))
    measured = (figures["records_per_second"], figures["cpu_us_per_event"], figures["memory_peak_bytes"] / MIB)
    return (name, *(f"{value:,.1f}" for value in measured), figures["guarantee"], figures["lacks"])


def _answers(answers: Document) -> Iterator[str]:
    names = ("p50", "p95", "p99", "p100")
    rows = [
        (name, f"{each['runs']:,}", *(f"{each['ms'][p]:.0f}" for p in names))
        for name, each in answers["by_question"].items()
    ]
    whole = ("all", "", *(f"{answers['all_ms'][p]:.0f}" for p in names))
    yield from markdown_table(("question", "runs", *(f"{name}, ms" for name in names)), [*rows, whole])


def _trials(trials: Sequence[Document]) -> Iterator[str]:
    columns = ("fault", "shown by", "records", "lost", "twice", "fresh again", "within")
    yield from markdown_table(columns, [_trial(trial) for trial in trials])


def _trial(trial: Document) -> tuple[str, ...]:
    took = trial["recovery_seconds"]
    counts = (f"{trial[name]:,}" for name in ("records", "lost", "duplicated"))
    again = "not while there was load" if took is None else f"{took:.1f} s"
    return (trial["fault"], trial["proof"], *counts, again, f"{trial['fresh_within_seconds']:g} s")


def _plain(prefix: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _plain(f"{prefix} {name}".strip(), inner)
    elif isinstance(value, int | float):
        yield prefix, f"{value:,.1f}" if isinstance(value, float) else f"{value:,}"

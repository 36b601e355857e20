"""The page of results: one section per document, with tables, plots and how to run it again."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from concord.bench import protocol, targets
from concord.bench.batch import page as of_batch
from concord.bench.batches import parts
from concord.bench.plots import plots
from concord.bench.tables import markdown_table
from concord.rules.bottleneck import bottleneck, of_hops
from concord.rules.hop_costs import hop_costs

PAGE = "README.md"
MIB = 1 << 20
HEAD = """\
# Benchmarks

Written by `concord bench report` from the JSON files beside it; [how to run them](../howto/benchmarks.md). Figures of
different runs or machines must not be compared without running both again. A run whose checks fail is void. A figure has
a verdict where the run is of the kind that its bounds are for: ten minutes at 20,000 events/s with nothing beside them for
the speed layer, a million waiting records for a drain, 50 million events for questions.

## How the protocol was kept
"""
NONE = "# Benchmarks\n\nNo results yet.\n"
NOTHING_ADDED = (
    "Tiers and catalogue were empty in this run: `customer_tier`, `product_category` and `product_price`, for which "
    "nothing was published, were not compared.\n"
)
CHECKED_BY_HASHES = ("paced", "answers", "trials")

Document = Mapping[str, Any]


def write(folder: Path) -> Path:
    """The page and its plots, out of every result in ``folder``."""
    documents = [json.loads(path.read_bytes()) for path in sorted(folder.glob("*.json"))]
    for document in documents:
        for name, draw in plots(document).items():
            draw(folder / name)
    page = folder / PAGE
    page.write_text(text(documents))
    return page


def text(documents: Sequence[Document]) -> str:
    """The page."""
    if not documents:
        return NONE
    return HEAD + "\n".join(protocol.kept(documents)) + "".join(map(section, documents))


def section(document: Document) -> str:
    """One result in Markdown."""
    return "\n".join(["", *_lines(document), ""])


def _lines(document: Document) -> Iterator[str]:
    yield f"## {document['name']}"
    yield from _context(document)
    if document["is_void"]:
        yield from ("**Void.** " + "; ".join(document["checks"]["differences"][:10]), "")
    result = document["result"]
    yield from _runs(document)
    if document["hops"]:
        yield from _hops(document)
    if peers := result.get("peers"):
        yield from _peers(peers, result.get("backlog"))
    if "answers" in result:
        yield from _answers(document)
    if "steps" in result:
        yield from of_batch.lines(document)
    if trials := result.get("trials"):
        yield from _trials(trials)
    if not {"paced", "answers", "steps", "trials"} & set(result):
        yield from targets.table("figure", targets.of_valid(document, targets.of_hop(result)), list(_plain("", result)))
    yield from (f"![{name}]({name})\n" for name in plots(document))


def _context(document: Document) -> Iterator[str]:
    machine, load = document["machine"], document["load_before"]
    memory = machine["memory_bytes"] / (MIB << 10)
    yield f"`{document['command']}`, {document['measured_at']}."
    yield ""
    yield f"Machine: {machine['cores']} × {machine['cpu']}, {memory:.0f} GiB, {machine['system']}; before the run a load of"
    yield f"{load['load_1m']:.2f} (5 minutes: {load['load_5m']:.2f}), {load['busy_percent']:.0f} % of the CPU in use."
    if missing := protocol.departures(document):
        yield f"Protocol not kept: {'; '.join(missing)}."
    yield f"Checked: {document['checks']['compared']}."
    yield ""
    if set(CHECKED_BY_HASHES) & set(document["result"]) and "publication" not in document["result"]:
        yield NOTHING_ADDED


def _runs(document: Document) -> Iterator[str]:
    result = document["result"]
    if backlog := result.get("backlog"):
        yield from targets.table(
            "backlog", targets.of_valid(document, targets.of_backlog(backlog)), list(_rows(backlog))
        )
    if paced := result.get("paced"):
        rows = [*_pace(paced), *_rows(paced)]
        if spread := protocol.spread(result.get("all_paced_runs") or ()):
            rows.append(("spread", spread))
        yield from targets.table("paced", targets.of_valid(document, targets.of_paced(result)), rows)


def _pace(figures: Document) -> Iterator[tuple[str, str]]:
    flow, fresh = figures["flow"], figures["freshness_seconds"]
    yield "intended rate", f"{figures['per_second_intended']:,.0f}/s"
    if flow:
        yield "held rate", f"{flow['held_per_second']:,.0f}/s"
        yield "lag", f"{'flat' if flow['is_flat'] else 'grows'}, at most {flow['largest_lag']:,} records"
    yield "fresh after (p50, p95, p99, all)", " · ".join(f"{fresh[n]:.2f} s" for n in ("p50", "p95", "p99", "max"))


def _rows(figures: Document) -> Iterator[tuple[str, str]]:
    """What a reader looks for first; the rest is in the document."""
    yield "records", f"{figures['records']:,}"
    yield "CPU of everything", f"{figures['cpu_us_per_event']:.1f} µs per event"
    yield "memory of everything, summed PSS at its peak", f"{figures['memory_peak_bytes'] / MIB:,.0f} MiB"
    if figures["micro_batches"].get("batches"):
        yield "micro-batch", _batches(figures["micro_batches"])
    yield "generator behind, at most", f"{figures['generator']['behind_ms']:.0f} ms"
    yield "fates", ", ".join(f"{count:,} {fate}" for fate, count in figures["fates"].items())


def _batches(summary: Document) -> str:
    seconds = summary["seconds"]
    return f"{summary['records_per_batch']:,.0f} records; {seconds['p50']:.2f} s, p95 {seconds['p95']:.2f} s"


def _hops(document: Document) -> Iterator[str]:
    """What each took, and what ends first."""
    rows = [(hop, f"{cost['cpu_us_per_event']:.1f}") for hop, cost in document["hops"].items()]
    yield from markdown_table(("hop", "µs of CPU per event"), rows)
    yield f"Bottleneck, as the rate grows (the rule of `concord capacity`): {_ends_first(document)}."
    if paced := document["result"].get("paced"):
        trigger = document["settings"]["spark"]["trigger_seconds"]
        yield f"In the paced run (the rule of `concord watch`): {bottleneck(parts(paced['micro_batches']), trigger)}."
    yield ""


def _ends_first(document: Document) -> str:
    return of_hops(hop_costs(document), document["machine"]["cores"])


def _peers(peers: Document, backlog: Document | None) -> Iterator[str]:
    columns = (
        "peer",
        "records",
        "records/s",
        "µs of CPU per event",
        "Concord's drain takes",
        "peak MiB",
        "guarantee",
        "lacks",
    )
    yield "The same topic, drained by others in the same run:\n"
    yield from markdown_table(columns, [_peer(name, figures, backlog) for name, figures in peers.items()])


def _peer(name: str, figures: Document, backlog: Document | None) -> tuple[str, ...]:
    if "failed" in figures:
        detail = " ".join(str(figures["detail"]).split())
        return (name, "–", "–", "–", "–", "–", f"failed: `{figures['failed']}`", detail[-300:].replace("|", "/"))
    rate, cpu, memory = (figures[key] for key in ("records_per_second", "cpu_us_per_event", "memory_peak_bytes"))
    times = f"{backlog['speed_layer_cpu_us_per_event'] / cpu:.2f} × the CPU" if backlog else "–"
    measured = (f"{figures['records']:,}", f"{rate:,.1f}", f"{cpu:,.1f}", times, f"{memory / MIB:,.1f}")
    return (name, *measured, figures["guarantee"], figures["lacks"])


def _answers(document: Document) -> Iterator[str]:
    result, names = document["result"], ("p50", "p95", "p99", "p100")
    answers = {**result["answers"]["by_question"], "all": {"runs": "", "ms": result["answers"]["all_ms"]}}
    verdicts = {name: targets.of_valid(document, each) for name, each in targets.of_answers(result).items()}
    rows = [
        (name, f"{each['runs']}", *(f"{each['ms'][p]:.0f}" for p in names), *(one.verdict for one in verdicts[name]))
        for name, each in answers.items()
    ]
    columns = ("question", "runs", *(f"{name}, ms" for name in names), "p95", "p99")
    yield f"Over {result['rows_before']['events']:,} events; required: 95 % within 300 ms (100 aimed at), 99 % within 1 s.\n"
    yield from markdown_table(columns, rows)
    yield from _meanwhile(**result["ingest"])


def _meanwhile(flow: Document | None, freshness_seconds: Document, **_: Any) -> Iterator[str]:
    if flow:
        yield (
            f"Meanwhile {flow['held_per_second']:,.0f} events/s were held, the lag "
            f"{'flat' if flow['is_flat'] else 'growing'}; they were fresh after {freshness_seconds['p50']:.2f} s (median) "
            f"and {freshness_seconds['p99']:.2f} s (99 %).\n"
        )


def _trials(trials: Sequence[Document]) -> Iterator[str]:
    columns = ("fault", "shown by", "records", "lost", "twice", "fresh again", "within", "")
    yield from markdown_table(columns, [_trial(trial) for trial in trials])


def _trial(trial: Document) -> tuple[str, ...]:
    took = trial["recovery_seconds"]
    counts = (f"{trial[name]:,}" for name in ("records", "lost", "duplicated"))
    again = "not while there was load" if took is None else f"{took:.1f} s"
    bound, verdict = f"{trial['fresh_within_seconds']:g} s", targets.of_trial(trial).verdict
    return (trial["fault"], trial["proof"], *counts, again, bound, verdict)


def _plain(prefix: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _plain(f"{prefix} {name}".strip(), inner)
    elif isinstance(value, int | float):
        yield prefix, f"{value:,.1f}" if isinstance(value, float) else f"{value:,}"

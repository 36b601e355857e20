"""Plots of results, as SVG files beside the page."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from concord.bench.batch import plots as of_batch
from concord.bench.drawing import drawing

COLOURS = {"broker": "#8c8c8c", "spark": "#e07b39", "clickhouse": "#d9b310"}

Document = Mapping[str, Any]


def plots(document: Document) -> dict[str, Callable[[Path], None]]:
    """File names and what draws them; only those that the document has figures for."""
    found: dict[str, Callable[[Path], None]] = {}
    result = document["result"]
    if paced := result.get("paced"):
        name = document["name"]
        found[f"{name}-lag.svg"] = lambda path: lag(path, paced)
        found[f"{name}-freshness.svg"] = lambda path: freshness(path, paced)
        found[f"{name}-cpu.svg"] = lambda path: cpu(path, document)
    if answers := result.get("answers"):
        found[f"{document['name']}.svg"] = lambda path: questions(path, answers)
    if "steps" in result:
        found |= of_batch.plots(document)
    return found


def lag(path: Path, paced: Document) -> None:
    """Records sent and not held, and memory, by second of the run."""
    seconds = [moment["second"] for moment in paced["moments"]]
    with drawing(path, "second of the run", "records sent and not held yet") as axes:
        axes.plot(seconds, [moment["lag"] for moment in paced["moments"]], color=COLOURS["spark"])
        axes.set_ylim(bottom=0)


def freshness(path: Path, paced: Document) -> None:
    """Percentiles by ten seconds of the run."""
    timeline = paced["freshness_seconds"]["timeline"]
    with drawing(path, "second of the run", "seconds until a query sees the row") as axes:
        for name, width in (("p50", 2.0), ("p95", 1.2), ("p99", 0.8)):
            axes.plot([row["second"] for row in timeline], [row[name] for row in timeline], label=name, linewidth=width)
        axes.set_ylim(bottom=0)
        axes.legend(loc="upper right")


def cpu(path: Path, document: Document) -> None:
    """CPU per event: Concord by hop, and the peers of the same run."""
    with drawing(path, "µs of CPU per event", "") as axes:
        left = 0.0
        for hop, cost in document["hops"].items():
            axes.barh("Concord", cost["cpu_us_per_event"], left=left, color=COLOURS.get(hop), label=hop)
            left += cost["cpu_us_per_event"]
        for peer, figures in (document["result"].get("peers") or {}).items():
            if "cpu_us_per_event" in figures:
                axes.barh(peer, figures["cpu_us_per_event"], color="#4c72b0")
        axes.legend(loc="lower right")


def questions(path: Path, answers: Document) -> None:
    """The 95th percentile of each question."""
    with drawing(path, "milliseconds, 95th percentile", "") as axes:
        names = list(answers["by_question"])[::-1]
        axes.barh(names, [answers["by_question"][name]["ms"]["p95"] for name in names], color=COLOURS["clickhouse"])

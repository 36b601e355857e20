"""The report as one HTML file with its plots inside: it opens in any browser, without a network."""

from collections.abc import Mapping, Sequence
from datetime import date
from io import StringIO
from math import nan
from pathlib import Path
from typing import Any

import matplotlib as mpl
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INCHES = (9, 2.6)
BAR_INCHES = 0.28
INK, BAND, ODD = "#1f4e79", "#c9dbeb", "#c0392b"
TEMPLATE = "report.html.j2"

Document = Mapping[str, Any]


def write(document: Document, path: Path) -> Path:
    """The page of one report."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(html(document), encoding="utf-8")
    return path


def html(document: Document) -> str:
    loader = PackageLoader("concord.quality", ".")
    environment = Environment(loader=loader, autoescape=select_autoescape(("j2",)), undefined=StrictUndefined)
    plots = {name: days_plot(days) for name, days in document["series"].items() if days}
    page = environment.get_template(TEMPLATE)
    return page.render(report=document, bars=bars_plot(document), trend=trend_plot(document), plots=plots)


def bars_plot(document: Document) -> Markup:
    """Broken rules by number of rows, on a logarithmic scale."""
    broken = sorted((rule for rule in document["rules"] if rule["violations"]), key=lambda rule: rule["violations"])
    if not broken:
        return Markup("")
    figure, axes = _axes((INCHES[0], 0.9 + BAR_INCHES * len(broken)))
    colours = [ODD if rule["has_failed"] else INK for rule in broken]
    bars = axes.barh([rule["rule"] for rule in broken], [rule["violations"] for rule in broken], color=colours)
    axes.bar_label(bars, [f"{rule['violations']:,}" for rule in broken], padding=3)
    axes.set_xscale("log")
    axes.set_xlim(left=0.8, right=broken[-1]["violations"] * 4)
    return _svg(figure)


def trend_plot(document: Document) -> Markup:
    """Violations by dimension over the batches, of the layer that was looked at last."""
    batches = document["trend_batches"]
    sums: dict[str, list[int]] = {}
    for rule in document["rules"]:
        counts = list(rule["trend"].values())[-1]
        total = sums.setdefault(rule["dimension"], [0] * len(batches))
        sums[rule["dimension"]] = [so_far + (count or 0) for so_far, count in zip(total, counts, strict=True)]
    figure, axes = _axes(INCHES)
    for dimension, counts in sums.items():
        axes.plot(range(len(batches)), counts, marker="o", label=dimension)
    axes.set_yscale("symlog")
    axes.set_xticks(range(len(batches)), [batch.split("-")[0] for batch in batches], rotation=45)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    return _svg(figure)


def days_plot(days: Sequence[Sequence[Any]]) -> Markup:
    """One measure by day, the band that history gave each day, and the days outside of it."""
    figure, axes = _axes(INCHES)
    at: Any = [date.fromisoformat(day) for day, *_ in days]
    axes.plot(at, [value for _, value, *_ in days], color=INK, linewidth=1)
    low, high = ([nan if row[limit] is None else row[limit] for row in days] for limit in (2, 3))
    axes.fill_between(at, low, high, color=BAND, zorder=0)
    odd = [None if _is_within(row) else row[1] for row in days]
    axes.plot(at, [nan if value is None else value for value in odd], "o", color=ODD, markersize=3)
    return _svg(figure)


def _is_within(row: Sequence[Any]) -> bool:
    return row[2] is None or bool(row[2] <= row[1] <= row[3])


def _axes(inches: tuple[float, float]) -> tuple[Figure, Axes]:
    figure = Figure(figsize=inches, layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _svg(figure: Figure) -> Markup:
    """The drawing alone: what stands before it in a file of its own names an address."""
    text = StringIO()
    with mpl.rc_context({"svg.hashsalt": "concord"}):
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    drawing = text.getvalue()
    return Markup(drawing[drawing.index("<svg") :])

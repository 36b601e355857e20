"""Plots of the batch layer's results."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from matplotlib import colormaps
from matplotlib.axes import Axes

from concord.bench.drawing import drawing

GIB = 1 << 30
ALONE = "#4c72b0"

Document = Mapping[str, Any]


def plots(document: Document) -> dict[str, Callable[[Path], None]]:
    """File names and what draws them."""
    steps, single, name = document["result"]["steps"], document["result"]["single_machine"], document["name"]
    found: dict[str, Callable[[Path], None]] = {f"{name}-memory.svg": lambda path: memory(path, steps)}
    if single:
        found[f"{name}-seconds.svg"] = lambda path: seconds(path, steps, single)
    return found


def seconds(path: Path, steps: Document, single: Document) -> None:
    """Each batch by its steps, and DuckDB alone below it."""
    with drawing(path, "seconds", "") as axes:
        _stacked(axes, {name: steps[name]["seconds_by_step"] for name in single})
        axes.barh([f"{name}, alone" for name in single], [each["seconds"] for each in single.values()], color=ALONE)
        axes.invert_yaxis()
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize="x-small")


def memory(path: Path, steps: Document) -> None:
    """Each step's engines, each at its own peak."""
    with drawing(path, "GiB, each engine at its peak (PSS)", "") as axes:
        _stacked(axes, {name: _gib(figures["peak_bytes_by_engine"]) for name, figures in steps.items()})
        axes.invert_yaxis()
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize="x-small")


def _stacked(axes: Axes, bars: Mapping[str, Mapping[str, float]]) -> None:
    """Bars of parts; a part has one colour, and one line of the legend, in all of them."""
    parts = list(dict.fromkeys(part for each in bars.values() for part in each))
    colours = colormaps["tab20"]
    left = dict.fromkeys(bars, 0.0)
    for number, part in enumerate(parts):
        lengths = [each.get(part, 0.0) for each in bars.values()]
        axes.barh(list(bars), lengths, left=list(left.values()), color=colours(number % 20), label=part)
        left = {name: begin + length for (name, begin), length in zip(left.items(), lengths, strict=True)}


def _gib(sizes: Mapping[str, int]) -> dict[str, float]:
    return {engine: size / GIB for engine, size in sizes.items()}

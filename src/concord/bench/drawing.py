"""A plot as an SVG file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INCHES = (8, 3)


@contextmanager
def drawing(path: Path, x: str, y: str) -> Iterator[Axes]:
    """Axes to draw on; written with the block's end. The same figures give the same file."""
    figure = Figure(figsize=INCHES, layout="constrained")
    axes = figure.subplots()
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(alpha=0.3)
    yield axes
    with mpl.rc_context({"svg.hashsalt": "concord"}):
        figure.savefig(path, format="svg", metadata={"Date": None})

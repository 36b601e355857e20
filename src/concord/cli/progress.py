"""A progress bar on standard error: standard output belongs to results."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from concord.cli.output import errors


@contextmanager
def progress_bar(what: str, hidden: bool = False, unit: str = "") -> Iterator[Callable[[int, int], None]]:
    """A bar, and the function that moves it: called with how much is done and how much there is."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=errors,
        disable=hidden,
    )
    with bar:
        task = bar.add_task(what, total=None, visible=False)
        yield lambda done, total: bar.update(task, completed=done, total=total, visible=True)

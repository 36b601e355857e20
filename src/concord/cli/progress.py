"""How far a command is: a bar or a step at a time, on standard error; standard output belongs to results."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from concord.cli.output import console, errors


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


class Steps:
    """Says what is done while it is done, and remembers how long it took."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        with errors.status(name):
            yield
        self.seconds[name] = round(time.monotonic() - started, 1)
        if not self.quiet:
            console.print(f"[green]done[/green] {name} [dim]{self.seconds[name]:.1f} s[/dim]", highlight=False)

"""How far a command is: a bar or a step at a time, on standard error; standard output belongs to results."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from concord.cli.output import console, errors
from concord.telemetry.timed import Timed


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


class Steps(Timed):
    """Says what is done while it is done, too."""

    def __init__(self, quiet: bool) -> None:
        super().__init__()
        self.quiet = quiet

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        with errors.status(name), super().step(name):
            yield
        if not self.quiet:
            console.print(f"[green]done[/green] {name} [dim]{self.seconds[name]:.1f} s[/dim]", highlight=False)

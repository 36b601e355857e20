"""``concord watch``: the speed layer, live in the terminal."""

import select
import sys
import termios
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from concord.cli.live_snapshot import Looks, Snapshot
from concord.cli.live_view import view
from concord.cli.output import AsJson, console, print_json
from concord.errors import ConcordError, ExitCode
from concord.settings import load_settings

EVERY_SECONDS = 2.0
KEY_SECONDS = 0.2
QUIT = "q"

Once = Annotated[bool, typer.Option("--once", help="Print one look and end; the default where there is no terminal.")]


class OnlyOnce(ConcordError):
    """JSON was asked for without an end."""

    exit_code = ExitCode.USAGE


def watch(once: Once = False, as_json: AsJson = False) -> None:
    """Show how the speed layer is doing: rate, freshness, lag, batch time, fates, state, bottleneck; q ends it."""
    if as_json and not once:
        raise OnlyOnce("--json gives one document, so it needs --once", "concord watch --once --json")
    looks = Looks(load_settings())
    if as_json:
        print_json(asdict(looks.look()))
    elif once or not console.is_terminal:
        console.print(view(looks.look()))
    else:
        _live(looks.look)


def _live(look: Callable[[], Snapshot]) -> None:
    """A look that takes long, because somebody does not answer, keeps neither the screen nor the keys waiting."""
    eyes = _Eyes(look)
    threading.Thread(target=eyes.watch, daemon=True).start()
    try:
        with _single_keys(), Live(eyes.shown(), console=console, screen=True, auto_refresh=False) as screen:
            while not pressed(QUIT, KEY_SECONDS):
                screen.update(eyes.shown(), refresh=True)
                eyes.refuse_failure()
    except KeyboardInterrupt:
        return
    finally:
        eyes.closed.set()


class _Eyes:
    """Looks in the background, every two seconds, until ``closed``."""

    def __init__(self, look: Callable[[], Snapshot]) -> None:
        self.closed = threading.Event()
        self._look = look
        self._seen: Snapshot | None = None
        self._failure: Exception | None = None

    def watch(self) -> None:
        try:
            while not self.closed.is_set():
                self._seen = self._look()
                self.closed.wait(EVERY_SECONDS)
        except Exception as error:
            self._failure = error

    def refuse_failure(self) -> None:
        """What went wrong in the background is raised where it can be told."""
        if self._failure:
            raise self._failure

    def shown(self) -> RenderableType:
        if self._seen is None:
            return Text("looking …")
        return Group(view(self._seen), Text(f"every {EVERY_SECONDS:g} s; {QUIT} ends it", style="dim"))


@contextmanager
def _single_keys() -> Iterator[None]:
    """Keys arrive as they are pressed, unseen; Ctrl-C still interrupts."""
    if not sys.stdin.isatty():
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def pressed(key: str, within_seconds: float) -> bool:
    """Whether the key comes within that time. Without a keyboard it never does."""
    if not sys.stdin.isatty():
        threading.Event().wait(within_seconds)
        return False
    ready, _, _ = select.select([sys.stdin], [], [], within_seconds)
    return bool(ready) and sys.stdin.read(1) == key

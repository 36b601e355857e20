"""What the proof saw is kept in docs/proof.md: machine, versions, every line noted, every verdict."""

import os
import platform
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import psutil
import pytest
from rich.console import Console

from concord import __version__
from concord.platform.catalogue import engines
from concord.settings import PROJECT, Settings

KEPT = PROJECT / "docs" / "proof.md"

Note = Callable[[object], None]

_lines: list[str] = []


@pytest.fixture
def note(request: pytest.FixtureRequest) -> Iterator[Note]:
    """Says something to whoever watches, and keeps it for the document."""
    title = (request.node.obj.__doc__ or request.node.name.removeprefix("test_").replace("_", " ")).strip()
    _lines.append(f"\n## {title}\n```")
    failed_before = request.session.testsfailed
    console = Console(width=120, record=True)

    def say(what: object) -> None:
        console.print(what, highlight=False)

    yield say
    _lines.append(console.export_text().rstrip() + "\n```")
    _lines.append(f"Verdict: {'failed' if request.session.testsfailed > failed_before else 'passed'}.")


@pytest.fixture(scope="session", autouse=True)
def kept_for_the_document(stack: Settings) -> Iterator[None]:
    """Writes the document when the last test is done."""
    started = datetime.now(UTC)
    yield
    KEPT.write_text("\n".join([*_head(stack, started), *_lines]) + "\n")


def _head(settings: Settings, started: datetime) -> list[str]:
    versions = ", ".join(f"{engine.name} {engine.version}" for engine in engines(settings).values())
    memory = psutil.virtual_memory().total / 2**30
    return [
        "# Proof",
        "The last output of `make proof DATA=online_retail.parquet`.",
        "",
        f"- run: {started:%Y-%m-%d %H:%M} to {datetime.now(UTC):%H:%M} UTC, Concord {__version__}",
        f"- machine: {platform.system()} {platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB, "
        f"load average at the end {os.getloadavg()[0]:.1f}",
        f"- Python {platform.python_version()}; {versions}",
    ]

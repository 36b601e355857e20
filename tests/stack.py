"""A stack for the tests alone: its own ports, its own home, the machine's downloads."""

import json
import random
import shutil
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from concord.platform.ports import holders
from concord.settings import PROJECT

BLOCK = 32
"""Ports in a row: enough for every engine."""

TESTER = "TESTER"
"""The warehouse's role for what tests do there themselves."""

LOWEST, HIGHEST = 12_000, 30_000
"""Above the well-known ones, below those the kernel hands to clients."""


def free_ports() -> Iterator[int]:
    """Ports of one block in which nobody listens."""
    while True:
        first = random.randrange(LOWEST, HIGHEST, BLOCK)
        block = range(first, first + BLOCK)
        if not holders(block) and not holders(range(first - 10_000, first - 10_000 + BLOCK)):
            return iter(block)


def profile_with(ports: Iterator[int]) -> dict[str, dict[str, Any]]:
    """The local profile with other ports and less memory."""
    profile = tomllib.loads((PROJECT / "profiles" / "local.toml").read_text())
    local = "127.0.0.1"
    profile["postgres"]["port"] = next(ports)
    profile["kafka"] |= {"bootstrap": f"{local}:{next(ports)}", "controller_port": next(ports)}
    profile["connect"]["url"] = f"http://{local}:{next(ports)}"
    profile["object_store"]["endpoint"] = f"http://{local}:{next(ports)}"
    profile["lake"]["uri"] = f"http://{local}:{next(ports)}"
    profile["clickhouse"] |= {"http_port": next(ports), "tcp_port": next(ports), "max_memory_bytes": 2 << 30}
    profile["snowflake"] |= {"port": next(ports), "record_statements": True}
    profile["telemetry"]["metrics_port"] = next(ports)
    # Counted up from here by the launcher, so the last to be taken.
    profile["object_store"]["admin_port_base"] = next(ports)
    return profile


def as_toml(profile: Mapping[str, Mapping[str, Any]]) -> str:
    """Sections of plain values, which is all a profile has."""
    sections = (f"[{name}]\n" + "".join(map(_line, values.items())) for name, values in profile.items())
    return "\n".join(sections)


def _line(item: tuple[str, Any]) -> str:
    name, value = item
    return f"{name} = {json.dumps(value)}\n"


def temporary_home() -> Path:
    """Not pytest's own folder: PostgreSQL's unprivileged user has to get in."""
    home = Path(tempfile.mkdtemp(prefix="concord-test-"))
    home.chmod(0o755)
    return home


def delete_all_but_logs(home: Path) -> None:
    """What a failed run said is worth keeping."""
    for entry in home.iterdir():
        if entry.name != "logs":
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()

"""A benchmark's result: one JSON document that says what was measured, on what, with which settings, and if it is right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from concord.bench.machine import load_before, machine, settings_of, versions
from concord.settings import PROJECT, Settings

FOLDER = PROJECT / "docs" / "benchmarks"


@dataclass(frozen=True)
class Checks:
    """What was compared, and everything that differed."""

    compared: str
    differences: Sequence[str] = ()

    @property
    def is_right(self) -> bool:
        return not self.differences


@dataclass(frozen=True)
class Result:
    """One benchmark. A result whose checks fail is void: it keeps what differs, and no figure of it counts."""

    name: str
    measured_at: str
    command: str
    figures: Mapping[str, Any]
    checks: Checks
    machine: Mapping[str, Any]
    versions: Mapping[str, str]
    settings: Mapping[str, Any]
    load_before: Mapping[str, Any]
    hops: Mapping[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "measured_at": self.measured_at,
            "command": self.command,
            "is_void": not self.checks.is_right,
            "checks": {"compared": self.checks.compared, "differences": list(self.checks.differences)},
            "machine": dict(self.machine),
            "load_before": dict(self.load_before),
            "versions": dict(self.versions),
            "settings": dict(self.settings),
            "hops": dict(self.hops),
            "result": dict(self.figures),
        }


@dataclass(frozen=True)
class Setting:
    """What is taken down before a run begins."""

    machine: Mapping[str, Any]
    versions: Mapping[str, str]
    settings: Mapping[str, Any]
    load_before: Mapping[str, Any]


def setting(settings: Settings) -> Setting:
    return Setting(machine(), versions(settings), settings_of(settings), load_before())


def write(folder: Path, document: Mapping[str, Any]) -> Path:
    """``<name>.json`` in ``folder``, in place of an earlier one."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{document['name']}.json"
    path.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS) + b"\n")
    return path

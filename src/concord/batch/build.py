"""The models of a batch: dbt builds and tests them in the shadow schemas, in a process of its own."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from concord.contracts.position import Position
from concord.errors import ContractViolation, Unavailable

TAIL_LINES = 15
SHOWN_FAILURES = 5


@dataclass(frozen=True)
class Built:
    """What dbt did. ``warnings`` are tests about the source's data, named with their number of rows."""

    models: int
    tests_passed: int
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Finished:
    """A dbt command that has ended, and what it said."""

    code: int
    output: str


@dataclass(frozen=True)
class Dbt:
    """A dbt project and what its process is given: addresses and the password by environment."""

    project: Path
    folder: Path
    environment: Mapping[str, str]

    def build(self, as_of: datetime, position: Position) -> Built:
        """Build and test every model at ``position``.

        Raises :class:`ContractViolation` naming the critical tests that failed, :class:`Unavailable` if a
        model could not be built.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        results = self.folder / "target" / "run_results.json"
        results.unlink(missing_ok=True)
        done = self.run("build", "--exclude-resource-type", "unit_test", "--vars", variables(as_of, position))
        if not results.is_file():
            raise self._broken_off(done)
        built = judge(json.loads(results.read_text())["results"])
        if done.code != 0:
            raise self._broken_off(done)
        return built

    def run(self, *arguments: str) -> Finished:
        """One dbt command on this project."""
        command = [sys.executable, "-m", "concord.batch.dbt_process", "--no-version-check", *arguments]
        output = self.folder / "output.log"
        with (
            output.open("wb") as log,
            subprocess.Popen(
                [*command, *self._folders()],
                env=dict(self.environment),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
            ) as process,
        ):
            code = process.wait()
        return Finished(code, output.read_text(errors="replace"))

    def _broken_off(self, done: Finished) -> Unavailable:
        last = "\n".join(done.output.strip().splitlines()[-TAIL_LINES:])
        return Unavailable(f"dbt broke off (exit {done.code}):\n{last}", f"see {self.folder / 'logs' / 'dbt.log'}")

    def _folders(self) -> tuple[str, ...]:
        return (
            *("--project-dir", str(self.project)),
            *("--profiles-dir", str(self.project)),
            *("--target-path", str(self.folder / "target")),
            *("--log-path", str(self.folder / "logs")),
        )


def variables(as_of: datetime, position: Position) -> str:
    """The models' variables, as dbt takes them."""
    instant = as_of.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    return json.dumps({"as_of": instant, "position": position.as_json()})


def judge(results: list[dict[str, Any]]) -> Built:
    """What the run's results mean. A critical test that failed, or a model that did, ends the batch."""
    broken = [result for result in results if result["status"] in ("error", "runtime error")]
    if broken:
        raise Unavailable(f"dbt could not build {_node(broken[0])}: {broken[0]['message']}")
    failed = [result for result in results if result["status"] == "fail"]
    if failed:
        named = ", ".join(_with_rows(result) for result in failed[:SHOWN_FAILURES])
        raise ContractViolation(f"{len(failed)} critical tests failed: {named}", "the batch before stays published")
    counts = Counter(result["status"] for result in results)
    warnings = tuple(_with_rows(result) for result in results if result["status"] == "warn")
    return Built(counts["success"], counts["pass"], warnings)


def _with_rows(result: dict[str, Any]) -> str:
    return f"{_node(result)} ({result['failures']:,} rows)"


def _node(result: dict[str, Any]) -> str:
    return str(result["unique_id"]).split(".")[2]

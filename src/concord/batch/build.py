"""The models of a batch: dbt builds and tests them in the shadow schemas, in a process of its own."""

import hashlib
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from concord.batch.extent import Extent
from concord.contracts.position import Position
from concord.errors import ConcordError, ContractViolation, Misconfigured, Unavailable

TAIL_LINES = 15
SHOWN_FAILURES = 5
DIGEST_LENGTH = 16
BATCH = "CONCORD_DBT_BATCH"
"""What changes from batch to batch, as JSON. As ``--vars`` it would make dbt parse the whole project each time."""
STAYS = "nothing is published of this batch, the one before stays"
IS_THE_PROJECTS = re.compile(r"\b(Compilation|Parsing|Dbt Project) Error\b")
"""What dbt calls its end where it is the project that has to be set right."""
IS_AWAY = re.compile(r"\b25\d{4}\b|\b2904\d{2}\b|\(08\d{3}\)")
"""Numbers and SQL states by which the driver says that the warehouse does not answer."""
LEFT_OUT = {True: ("unit_test",), False: ("unit_test", "seed")}
"""Kinds of nodes that a full and an incremental build leave out: seeds change with the project only."""


@dataclass(frozen=True)
class Built:
    """What dbt did. ``warnings`` are tests about the source's data, named with their number of rows."""

    models: int
    tests_passed: int
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Fresh:
    """A source and when it was last loaded; None if it never was. ``state`` is dbt's: pass, warn or error."""

    source: str
    loaded_at: datetime | None
    seconds_ago: float | None
    state: str


NOTHING_BUILT = Built(models=0, tests_passed=0, warnings=())


@dataclass(frozen=True)
class Finished:
    """A dbt command that has ended, and what it said."""

    code: int
    output: str


@dataclass(frozen=True)
class Dbt:
    """A dbt project and what its process is given: addresses and the password by environment.

    ``profiles`` is where ``profiles.yml`` lies, if not in the project.
    """

    project: Path
    folder: Path
    environment: Mapping[str, str]
    profiles: Path | None = None

    def build(self, as_of: datetime, extent: Extent) -> Built:
        """Bring every model to the extent's position and test it.

        Raises :class:`ContractViolation` naming the critical tests that failed, :class:`Misconfigured` naming the
        model that does not compile or has other columns than its contract, :class:`Unavailable` if dbt or the
        warehouse broke off.
        """
        leave_out = ("--exclude-resource-type", *LEFT_OUT[extent.is_full])
        return self._judged("build", *leave_out, *_how(extent), batch=variables(as_of, extent))

    def build_beside(self, as_of: datetime, position: Position, suffix: str) -> Built:
        """Build every model anew in schemas of their own, untested: what an incremental build is held against."""
        extent = Extent(position)
        leave_out = ("--exclude-resource-type", "unit_test", "test")
        beside = ("--vars", json.dumps({"schema_suffix": suffix}))
        return self._judged("build", *leave_out, *_how(extent), *beside, batch=variables(as_of, extent))

    def document(self, as_of: datetime, position: Position) -> Path:
        """The documentation of every model and column with their lineage, as one page; where it lies."""
        self._carry_out("docs", "generate", "--static", batch=variables(as_of, Extent(position)))
        return self.folder / "target" / "static_index.html"

    def compile(self, as_of: datetime, position: Position, with_tests: bool = False) -> Path:
        """Every model, and every test if asked for, as the SQL of a full build; where dbt's account of them lies."""
        kinds = ("unit_test",) if with_tests else ("unit_test", "test")
        extent, left_out = Extent(position), ("--exclude", *(f"resource_type:{kind}" for kind in kinds))
        self._carry_out("compile", *left_out, *_how(extent), batch=variables(as_of, extent))
        return self.folder / "target" / "manifest.json"

    def freshness(self) -> list[Fresh]:
        """How long ago each source was loaded, by dbt's own check."""
        _, document = self._answered("sources.json", "source", "freshness")
        return [fresh(result) for result in document["results"]]

    def digest(self) -> str:
        """Of the text that the rows of the models depend on."""
        paths = [self.project / "dbt_project.yml"]
        paths += [path for folder in ("models", "macros", "seeds") for path in (self.project / folder).rglob("*.*")]
        digest = hashlib.sha256()
        for path in sorted(paths):
            digest.update(f"{path.relative_to(self.project)}\n".encode() + path.read_bytes())
        return digest.hexdigest()[:DIGEST_LENGTH]

    def _carry_out(self, *arguments: str, batch: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        done = self.run(*arguments, batch=batch)
        if done.code != 0:
            raise self._broken_off(done)

    def _judged(self, *arguments: str, batch: str) -> Built:
        done, document = self._answered("run_results.json", *arguments, batch=batch)
        built = judge(document["results"])
        if done.code != 0:
            raise self._broken_off(done)
        return built

    def _answered(self, name: str, *arguments: str, batch: str = "{}") -> tuple[Finished, dict[str, Any]]:
        """Run a command and read the document that it leaves; one of an earlier run is not taken for it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "target" / name
        path.unlink(missing_ok=True)
        done = self.run(*arguments, batch=batch)
        if not path.is_file():
            raise self._broken_off(done)
        return done, json.loads(path.read_text())

    def run(self, *arguments: str, batch: str = "{}") -> Finished:
        """One dbt command on this project, told about the batch by :func:`variables`."""
        command = [sys.executable, "-m", "concord.batch.dbt_process", "--no-version-check", *arguments]
        output = self.folder / "output.log"
        with (
            output.open("wb") as log,
            subprocess.Popen(
                [*command, *self._folders()],
                env={**self.environment, BATCH: batch},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
            ) as process,
        ):
            code = process.wait()
        return Finished(code, output.read_text(errors="replace"))

    def _broken_off(self, done: Finished) -> ConcordError:
        last = "\n".join(done.output.strip().splitlines()[-TAIL_LINES:])
        if found := IS_THE_PROJECTS.search(done.output):
            return Misconfigured(f"dbt cannot use the project:\n{done.output[found.start() :].strip()}", STAYS)
        return Unavailable(f"dbt broke off (exit {done.code}):\n{last}", f"see {self.folder / 'logs' / 'dbt.log'}")

    def _folders(self) -> tuple[str, ...]:
        return (
            *("--project-dir", str(self.project)),
            *("--profiles-dir", str(self.profiles or self.project)),
            *("--target-path", str(self.folder / "target")),
            *("--log-path", str(self.folder / "logs")),
        )


def _how(extent: Extent) -> tuple[str, ...]:
    return ("--full-refresh",) if extent.is_full else ()


def variables(as_of: datetime, extent: Extent) -> str:
    """What the models take from the batch, as JSON."""
    positions = {"position": extent.position.as_json()}
    if extent.since is not None:
        positions |= {"since": extent.since.as_json(), "reached": extent.reached.as_json()}
    return json.dumps({"as_of": as_literal(as_of), **positions})


def as_literal(as_of: datetime) -> str:
    """The instant as it stands in the models' SQL."""
    return as_of.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def judge(results: list[dict[str, Any]]) -> Built:
    """What the run's results mean. A critical test that failed, or a model that did, ends the batch."""
    broken = [result for result in results if result["status"] in ("error", "runtime error")]
    if broken:
        raise _unbuilt(broken[0])
    failed = [result for result in results if result["status"] == "fail"]
    if failed:
        named = ", ".join(_with_rows(result) for result in failed[:SHOWN_FAILURES])
        raise ContractViolation(f"{len(failed)} critical tests failed: {named}", STAYS)
    counts = Counter(result["status"] for result in results)
    warnings = tuple(_with_rows(result) for result in results if result["status"] == "warn")
    return Built(counts["success"], counts["pass"], warnings)


def _unbuilt(result: dict[str, Any]) -> ConcordError:
    """A warehouse that is away says nothing against the model; whatever else is said does."""
    said = f"dbt could not build {_node(result)}: {result['message']}"
    return Unavailable(said, "see `concord status`") if IS_AWAY.search(said) else Misconfigured(said, STAYS)


def fresh(result: dict[str, Any]) -> Fresh:
    """One source's freshness as dbt tells it. An empty table is as old as time to dbt."""
    if "error" in result:
        raise Unavailable(f"dbt could not look at {result['unique_id']}: {result['error']}")
    loaded_at = datetime.fromisoformat(result["max_loaded_at"])
    source = f"RAW.{str(result['unique_id']).split('.')[-1]}"
    if loaded_at.year == 1:
        return Fresh(source, None, None, result["status"])
    return Fresh(source, loaded_at, result["max_loaded_at_time_ago_in_s"], result["status"])


def _with_rows(result: dict[str, Any]) -> str:
    return f"{_node(result)} ({result['failures']:,} rows)"


def _node(result: dict[str, Any]) -> str:
    return str(result["unique_id"]).split(".")[2]

"""The peer of one machine: dbt with its DuckDB adapter, the same models and tests, from files of changes to marts.

It is a full build each time. The models are compiled, translated and parsed before: who moves to DuckDB does so once,
and dbt keeps what it has parsed.
"""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from concord.batch.build import Built, Dbt, judge
from concord.bench.batch import ported
from concord.bench.batch.dbt_command import dbt_command
from concord.bench.batch.files import Paths
from concord.bench.batch.own_process import Spent, apart
from concord.bench.batch.single import MEMORY_LIMIT
from concord.contracts.position import Position


@dataclass(frozen=True)
class Ran:
    """What dbt built and tested, what it took, and the DuckDB file with every table in its schema."""

    file: Path
    built: Built
    spent: Spent


def run(dbt: Dbt, paths: Paths, as_of: datetime, position: Position, folder: Path) -> Ran:
    """Every model of dbt's project at the position, in a process of its own; ``folder`` is the peer's alone."""
    file, project = folder / "dbt.duckdb", folder / "project"
    folder.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    ported.Profile(file, MEMORY_LIMIT).write(folder)
    compiled = replace(dbt, folder=folder / "compiled", profiles=folder).compile(as_of, position, with_tests=True)
    ported.write(json.loads(compiled.read_text()), dbt.project, project, paths)
    apart("dbt parse", dbt_command, "parse", project, folder)
    spent = apart("dbt build", dbt_command, "build", project, folder)
    results = json.loads((project / "target" / "run_results.json").read_text())
    return Ran(file, judge(results["results"]), spent)

"""A reconciliation's result as a document: printed, and kept one file per run."""

import json
from pathlib import Path
from typing import Any

from concord.errors import ContractViolation
from concord.reconcile.compare import Comparison, Difference
from concord.reconcile.run import Report


def document(report: Report) -> dict[str, Any]:
    """The whole report in JSON's types; every difference is in it."""
    return {
        "run_id": report.run_id,
        "started_at": report.started_at.isoformat(),
        "agrees": report.agrees,
        "differences": report.differences,
        "faults": list(report.faults),
        "batch_id": report.batch_id,
        "fence": report.fence,
        "cut": report.cut.as_json(),
        "converged_seconds": report.converged_seconds,
        "comparisons": [_comparison(comparison) for comparison in report.comparisons],
    }


def _comparison(comparison: Comparison) -> dict[str, Any]:
    return {
        "dataset": comparison.dataset,
        "left": comparison.left,
        "right": comparison.right,
        "left_rows": comparison.left_rows,
        "right_rows": comparison.right_rows,
        "left_digest": comparison.left_digest,
        "right_digest": comparison.right_digest,
        "agrees": comparison.agrees,
        "set_aside": comparison.set_aside,
        "differences": [_difference(difference) for difference in comparison.differences],
    }


def _difference(difference: Difference) -> dict[str, Any]:
    return {
        "key": list(difference.key),
        "kind": str(difference.kind),
        "values": {name: list(pair) for name, pair in difference.values.items()},
    }


def store(report: Report, folder: Path) -> Path:
    """Write the report to ``folder`` under its run id and return the file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{report.run_id}.json"
    partial = path.with_suffix(".part")  # a disk that fills meanwhile leaves no report that cannot be read
    partial.write_text(json.dumps(document(report), indent=2, default=str))
    partial.replace(path)
    return path


def load(folder: Path, run_id: str) -> dict[str, Any]:
    """The stored report of a run. Raises :class:`ContractViolation` if there is none."""
    path = folder / f"{run_id}.json"
    if not path.is_file():
        raise ContractViolation(f"reconciliation {run_id}: no such run in {folder}", "concord recon list names them")
    result: dict[str, Any] = json.loads(path.read_text())
    return result

"""``concord lake audit``: each row once, each file once, nothing that lies there for nothing."""

from datetime import datetime
from typing import Any

from concord.batch.maintain import age
from concord.cli.lake.tables import Hours, Names, chosen, lake_of_settings
from concord.cli.output import AsJson, console, print_json, table
from concord.contracts.model import Dataset
from concord.errors import Disagreement
from concord.gateways.lake import Lake
from concord.telemetry.clock import now


def audit(names: Names = None, older_than: Hours = 24.0, as_json: AsJson = False) -> None:
    """Each row once, no file registered twice, what lies there for nothing. Exit 6 if a row or a file is there twice."""
    lake, before = lake_of_settings(), age(now(), older_than)
    found = [_audit(lake, dataset, before) for dataset in chosen(names)]
    if as_json:
        print_json(found)
    else:
        columns = ["table", "rows", "repeated rows", "files", "repeated files", "orphans", "orphan bytes"]
        rows = [tuple(one[column] for column in columns) for one in found]
        console.print(table(f"Lake, orphans older than {older_than:g} h", columns, rows))
    faults = [f"{one['table']} holds {one[what]:,} {what}" for one in found for what in REPEATED if one[what]]
    faults += [path for one in found for path in one["twice"][:SHOWN]]
    if faults:
        raise Disagreement(
            "; ".join(faults),
            "a writer has committed twice: `concord lake rollback`; what a sink has landed comes again from Kafka",
        )


REPEATED = ("repeated rows", "repeated files")
SHOWN = 5
"""Repeated files named for each table."""


def _audit(lake: Lake, dataset: Dataset, before: datetime) -> dict[str, Any]:
    """The key of a log is the position: (topic, partition, offset)."""
    orphans, twice = lake.orphans(dataset.name, before), lake.repeated_files(dataset.name)
    return {
        "table": dataset.name,
        "rows": lake.row_count(dataset.name),
        "repeated rows": lake.repeated_rows(dataset.name, dataset.key),
        "files": lake.figures(dataset.name).files,
        "repeated files": len(twice),
        "orphans": len(orphans),
        "orphan bytes": sum(one.bytes for one in orphans),
        "twice": twice,
    }

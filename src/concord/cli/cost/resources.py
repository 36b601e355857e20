"""Spark and the lake in ``concord cost report``: what they ask for against what they use."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from concord.cli.output import table
from concord.contracts.lake_metrics import JOB_RUNS
from concord.gateways.lake import Lake
from concord.rules.cost_advice import Advice
from concord.rules.resource_use import (
    MIB,
    Asked,
    Footprint,
    JobRun,
    Use,
    on_cores,
    on_footprint,
    on_memory,
    use_by_job,
)
from concord.settings import Settings, java_bytes

LOCAL_CORES = re.compile(r"local\[(\d+)\]")
OF_RUN = ("job", "seconds", "cpu_seconds", "peak_memory_bytes", "disk_spilled_bytes")


def asked_of(settings: Settings) -> Asked:
    """Of the profile's batch session: a local one runs its tasks in the driver."""
    return Asked(_cores(settings.spark.master), java_bytes(settings.spark.batch_memory))


def _cores(master: str) -> int:
    if local := LOCAL_CORES.fullmatch(master):
        return int(local[1])
    from concord.gateways.spark import EXECUTORS  # Spark takes a second to import

    return int(EXECUTORS["spark.executor.instances"]) * int(EXECUTORS["spark.executor.cores"])


def uses(lake: Lake, since: datetime, asked: Asked) -> list[Use]:
    """Every Spark job that has ended since then, as ``job_runs`` tells."""
    if lake.current_snapshot(JOB_RUNS.name) is None:
        return []
    rows = lake.scan(JOB_RUNS.name, OF_RUN, f"started_at >= '{since.isoformat()}' and state = 'ended'").to_pylist()
    return use_by_job((JobRun(*(row[name] for name in OF_RUN)) for row in rows), asked)


def footprints(lake: Lake, names: Sequence[str]) -> list[Footprint]:
    return [Footprint(name, lake.figures(name).bytes, lake.stored_bytes(name)) for name in names]


def advice(found: Sequence[Use], asked: Asked, tables: Sequence[Footprint]) -> Iterator[Advice]:
    yield from on_memory(found)
    yield from on_cores(found, asked)
    for one in tables:
        yield from on_footprint(one)


def document(found: Sequence[Use], tables: Sequence[Footprint]) -> dict[str, Any]:
    """In JSON's types."""
    spark = [{**asdict(use), "core_share": use.core_share, "memory_share": use.memory_share} for use in found]
    return {"spark": spark, "lake": [asdict(one) for one in tables]}


def spark_table(found: Sequence[Use]) -> Any:
    columns = ("job", "runs", "core s asked", "used", "MiB asked", "used", "MiB to disk")
    rows = [
        (
            *(use.job, use.runs, f"{use.core_seconds_asked:,.0f}", f"{use.core_share:.0%}"),
            *(f"{use.memory_bytes_asked / MIB:,.0f}", f"{use.memory_share:.0%}", f"{use.spilled_bytes / MIB:,.0f}"),
        )
        for use in found
    ]
    return table("Spark: asked for and used", columns, rows)


def lake_table(tables: Sequence[Footprint]) -> Any:
    rows = [(one.table, f"{one.stored_bytes / MIB:,.1f}", f"{one.needed_bytes / MIB:,.1f}") for one in tables]
    return table("Lake: kept and needed", ("table", "MiB kept", "MiB of rows now"), rows)

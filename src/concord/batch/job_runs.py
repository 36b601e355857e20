"""The book of runs: one row per run and job, also of what failed. Nothing in it is ever changed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F

from concord.batch.days import Days
from concord.batch.feeds import spark_name
from concord.batch.measure import Spent
from concord.batch.read_lake import instant
from concord.contracts.lake_metrics import JOB_RUNS
from concord.contracts.position import Position
from concord.dialects.spark import data_type

MILLISECONDS = Decimal("0.001")


class Mode(StrEnum):
    """Which days were asked for: all, those of an interval, those touched since the last time."""

    FULL = "full"
    RANGE = "range"
    INCREMENTAL = "incremental"


@dataclass(frozen=True)
class Counts:
    """Rows of one job."""

    rows_in: int = 0
    rows_out: int = 0
    rows_rejected: int = 0


@dataclass(frozen=True)
class JobRun:
    """What one job of one run did, and what that took."""

    run_id: str
    job: str
    mode: Mode
    days: Days
    counts: Counts
    started_at: datetime
    ended_at: datetime
    spent: Spent
    failure: str | None = None

    @property
    def seconds(self) -> Decimal:
        return Decimal((self.ended_at - self.started_at).total_seconds()).quantize(MILLISECONDS)

    def as_row(self) -> Mapping[str, object]:
        """As ``job_runs`` has it, but for what all jobs of a run have in common."""
        spent = asdict(self.spent) | {"cpu_seconds": self.spent.cpu_seconds.quantize(MILLISECONDS)}
        return {
            "run_id": self.run_id,
            "job": self.job,
            "mode": str(self.mode),
            "state": "failed" if self.failure else "ended",
            "detail": self.failure,
            "first_day": self.days.first,
            "last_day": self.days.last,
            "days": None if self.days.among is None else len(self.days.among),
            **asdict(self.counts),
            "started_at": self.started_at,
            "seconds": self.seconds,
            **spent,
        }


@dataclass(frozen=True)
class Common:
    """What all jobs of one run read, and for which batch; None of a run that is of none."""

    position: Position
    snapshots: Mapping[str, int | None]
    as_of: datetime
    batch_id: str | None = None

    def as_row(self) -> Mapping[str, object]:
        return {
            "batch_id": self.batch_id,
            "position": json.dumps(self.position.as_json()),
            "snapshots": json.dumps(self.snapshots),
            "as_of": self.as_of,
        }


def note(spark: SparkSession, runs: Sequence[JobRun], common: Common) -> None:
    """Write the runs down, in one commit.

    Rows of literals: those of Python would want a Python worker, which takes longer to start than to write them.
    """
    if not runs:
        return
    rows = F.array(*(_struct({**run.as_row(), **common.as_row()}) for run in runs))
    spark.range(1, numPartitions=1).select(F.inline(rows)).writeTo(spark_name(JOB_RUNS)).append()


def _struct(row: Mapping[str, object]) -> Column:
    return F.struct(
        *(_literal(row[column.name]).cast(data_type(column.type)).alias(column.name) for column in JOB_RUNS.columns)
    )


def _literal(value: object) -> Column:
    return instant(value) if isinstance(value, datetime) else F.lit(value)

"""One run: pin the lake, then for each job find its days, compute them, replace them, write down what it took.

A run that is broken off, or run again, leaves what one run leaves: days are replaced as a whole, each table in one
commit, and what a table holds is remembered after its rows.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from concord.batch.days import EVERY, NONE, Days
from concord.batch.feeds import spark_name
from concord.batch.job_runs import Common, Counts, JobRun, Mode, note
from concord.batch.measure import Meter
from concord.batch.metrics.customers import customer_metrics, unknown_customers
from concord.batch.metrics.funnel import funnel_metrics
from concord.batch.metrics.orders import order_metrics, purchases
from concord.batch.metrics.products import lines_without_order, product_metrics
from concord.batch.metrics.source import Source, pin
from concord.batch.metrics.touched import Touched, funnel_days, order_days, product_days
from concord.batch.mirrors import held, remember
from concord.batch.read_lake import instant
from concord.batch.spark_words import in_words
from concord.contracts.lake_metrics import (
    CUSTOMER_METRICS,
    FUNNEL_METRICS,
    JOB_RUNS,
    LAKE_METRICS,
    ORDER_METRICS,
    PRODUCT_METRICS,
)
from concord.contracts.model import Dataset
from concord.contracts.position import Position
from concord.contracts.tables import ORDER_ITEMS, ORDERS
from concord.dialects.spark import data_type
from concord.errors import ConcordError, Misconfigured

DEFINITION = "1"
"""Raise it when a figure is to mean something else: what was computed under another one is computed anew."""
DEFINED = "concord.definition"

Frame = Callable[[Source, Days], DataFrame]
Step = Callable[[str], AbstractContextManager[None]]
"""Told what is done while it is done."""


@dataclass(frozen=True)
class Job:
    """How one table comes about. ``touched`` is None where a change anywhere may alter every row."""

    table: Dataset
    compute: Frame
    read: Frame
    rejected: Frame | None = None
    touched: Touched | None = None


JOBS: Mapping[str, Job] = {
    job.table.name: job
    for job in (
        Job(CUSTOMER_METRICS, customer_metrics, lambda source, _: purchases(source), unknown_customers),
        Job(
            PRODUCT_METRICS,
            product_metrics,
            lambda source, _: source.mirror(ORDER_ITEMS),
            lines_without_order,
            product_days,
        ),
        Job(
            ORDER_METRICS,
            order_metrics,
            lambda source, days: source.mirror(ORDERS).where(days.hold(F.col("date"))),
            touched=order_days,
        ),
        Job(
            FUNNEL_METRICS,
            funnel_metrics,
            lambda source, days: source.events().where(days.hold(F.to_date("occurred_at"))),
            touched=funnel_days,
        ),
    )
}


@dataclass(frozen=True)
class Request:
    """What to compute: ``days`` by name, or all (``is_full``), else what was touched since the last time."""

    run_id: str
    position: Position
    as_of: datetime
    tables: Sequence[str] = tuple(LAKE_METRICS)
    days: Days | None = None
    is_full: bool = False

    @property
    def mode(self) -> Mode:
        return Mode.FULL if self.is_full else Mode.RANGE if self.days else Mode.INCREMENTAL


def run(spark: SparkSession, request: Request, clock: Callable[[], datetime], step: Step) -> list[JobRun]:
    """Bring the tables to the position. Raises :class:`Misconfigured` if a range names no day that holds anything."""
    with step("pin the lake"), in_words("read what the mirrors hold", "`concord status`"):
        source = pin(spark, request.position, request.as_of)
    runs = []
    for name in request.tables:
        with step(name):
            runs.append(_carry_out(source, JOBS[name], request, clock))
    _check_not_empty(request, runs)
    return runs


def _carry_out(source: Source, job: Job, request: Request, clock: Callable[[], datetime]) -> JobRun:
    """One job, written down however it ends."""
    started_at, meter = clock(), Meter(source.spark)
    days, counts = NONE, Counts()
    failure: ConcordError | None = None
    try:
        with in_words(f"compute {job.table.name}", "the table is as it was; `concord status`"):
            days = _days(source, job, request)
            counts = _bring(source, job, days, request, started_at)
    except ConcordError as error:
        failure = error
    done = JobRun(
        run_id=request.run_id,
        job=job.table.name,
        mode=request.mode,
        days=days,
        counts=counts,
        started_at=started_at,
        ended_at=clock(),
        spent=meter.read(),
        failure=failure.message if failure else None,
    )
    with in_words(f"note the run in {JOB_RUNS.name}", "what was computed is there; `concord status`"):
        note(source.spark, [done], Common(source.position, source.snapshots, source.as_of))
    if failure:
        raise failure
    return done


def _days(source: Source, job: Job, request: Request) -> Days:
    """The days to replace. A table that does not know what it holds is computed as a whole."""
    if job.touched is None:
        return NONE if request.mode is Mode.INCREMENTAL and _is_current(source, job.table) else EVERY
    if request.mode is not Mode.INCREMENTAL:
        return request.days or EVERY
    since = _held(source, job.table)
    if since is None or not source.position.covers(since):
        return EVERY
    return NONE if since == source.position else Days(among=job.touched(source, since))


def _is_current(source: Source, table: Dataset) -> bool:
    """True if the table holds this very position at this very time."""
    if _held(source, table) != source.position:
        return False
    newest = source.spark.table(spark_name(table)).agg(F.unix_millis(F.max("as_of")).alias("ms")).collect()[0]["ms"]
    return bool(newest == int(source.as_of.timestamp() * 1000))


def _bring(source: Source, job: Job, days: Days, request: Request, loaded_at: datetime) -> Counts:
    """Compute the days and put them in the place of what is there."""
    counts = Counts()
    if not days.are_none:
        rows = _stamped(job.compute(source, days), job.table, request, loaded_at).persist()
        try:
            _replace(source.spark, job.table, rows, days)
            counts = Counts(job.read(source, days).count(), rows.count(), _rejected(source, job, days))
        finally:
            rows.unpersist()
    if request.mode is not Mode.RANGE or job.touched is None:
        _remember(source, job.table)
    return counts


def _rejected(source: Source, job: Job, days: Days) -> int:
    return job.rejected(source, days).count() if job.rejected else 0


def _stamped(rows: DataFrame, table: Dataset, request: Request, loaded_at: datetime) -> DataFrame:
    """The contract's columns in its order and types."""
    stamps = {
        "as_of": instant(request.as_of),
        "loaded_at": instant(loaded_at),
        "batch_id": F.lit(request.run_id),
    }
    columns = ((column, stamps.get(column.name, F.col(column.name))) for column in table.columns)
    return rows.select(*(value.cast(data_type(column.type)).alias(column.name) for column, value in columns))


def _replace(spark: SparkSession, table: Dataset, rows: DataFrame, days: Days) -> None:
    """In one commit. A table of a row a day is not split by day, and so small that it is written as a whole."""
    if days.are_all or table.partition:
        rows.writeTo(spark_name(table)).overwrite(days.hold(F.col("date")))
        return
    others = spark.table(spark_name(table)).where(~days.hold(F.col("date")))
    rows.unionByName(others).coalesce(1).writeTo(spark_name(table)).overwrite(F.lit(True))


def _held(source: Source, table: Dataset) -> Position | None:
    """The position that every row of the table was computed at, under today's definition."""
    properties = source.spark.sql(f"show tblproperties {spark_name(table)}").where(F.col("key") == DEFINED).collect()
    is_defined = bool(properties) and properties[0]["value"] == DEFINITION
    return held(source.spark, table) if is_defined else None


def _remember(source: Source, table: Dataset) -> None:
    if _held(source, table) != source.position:
        remember(source.spark, table, source.position)
        source.spark.sql(f"alter table {spark_name(table)} set tblproperties ('{DEFINED}' = '{DEFINITION}')")


def _check_not_empty(request: Request, runs: Sequence[JobRun]) -> None:
    """Whatever a day without orders had in the tables is gone by now; but who names it may have meant another one."""
    of_days = [run for run in runs if JOBS[run.job].touched]
    if request.days and of_days and not any(run.counts.rows_out for run in of_days):
        raise Misconfigured(
            f"the lake has no order and no event from {request.days}", "`concord sql lake` tells which days it has"
        )

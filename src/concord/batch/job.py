"""One batch: pin the lake, load RAW, build and test the models beside the published ones, publish.

Nothing of a batch is visible before its last statement. A batch that dies leaves rows in RAW that no
model counts; the next one reads the same range again and merges into what is there.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from pyspark.sql import SparkSession

from concord.batch import documents
from concord.batch.audit_events import Landed
from concord.batch.build import Built, Dbt
from concord.batch.days import EVERY, Days
from concord.batch.events import settle
from concord.batch.feeds import EVENT_FEEDS, Feed
from concord.batch.hand_over import hand_over
from concord.batch.job_runs import Common, Counts, JobRun, Mode, note
from concord.batch.lease import lease
from concord.batch.load_raw import Loaded, Staged, merge, stage, unfit
from concord.batch.measure import Meter
from concord.batch.mirrors import Mirrored, bring_to
from concord.batch.models import bring_up
from concord.batch.publish import publications, publish
from concord.batch.range import Range, Span, batch_id, between, changes_between, check_never_back, span_of, spans
from concord.batch.read_lake import Pin, changes, check_unique, for_raw, pin, received_on, summarize
from concord.batch.spark_words import in_words
from concord.contracts.events import EVENTS, EVENTS_LANDING
from concord.contracts.lake_metrics import JOB_RUNS
from concord.contracts.names import EVENTS_TOPIC
from concord.contracts.position import Position, Publication
from concord.contracts.tables import TABLES, as_change
from concord.errors import ConcordError, Misconfigured
from concord.gateways.clickhouse import ClickHouse
from concord.gateways.lake import Lake
from concord.gateways.snowflake import Snowflake
from concord.telemetry.clock import now

APP_NAME = "EcommerceBatchAnalytics"

Step = Callable[[str], AbstractContextManager[None]]
"""Told what is done while it is done."""


@dataclass(frozen=True)
class Tools:
    """What a batch works with. Spark is started only if there is something to load.

    ``loader`` writes RAW and nothing else; ``warehouse`` builds and publishes the models.
    """

    lake: Lake
    warehouse: Snowflake
    loader: Snowflake
    speed: ClickHouse
    spark: Callable[[], AbstractContextManager[SparkSession]]
    connector_options: dict[str, str]
    dbt: Dbt
    folder: Path


@dataclass(frozen=True)
class Request:
    """``again`` names a published batch to run once more; ``now`` stamps rows and publication.

    ``days``: of that batch only what Kafka received on them. ``rebuild``: every model is built anew, not only what
    changed.
    """

    now: datetime
    again: str | None = None
    days: Days = EVERY
    batch_id: str | None = None
    as_of: datetime | None = None
    rebuild: bool = False


@dataclass(frozen=True)
class Plan:
    """One batch before it is loaded. ``visible`` is what readers see afterwards, None until ``as_of`` is known."""

    batch_id: str
    span: Span
    pin: Pin
    previous_as_of: datetime | None
    visible: Publication | None = None


@dataclass
class Brought:
    """What Spark has brought so far. ``changed_at`` is when the latest of it happened."""

    staged: list[Staged] = field(default_factory=list)
    landed: Landed | None = None
    mirrored: list[Mirrored] = field(default_factory=list)
    changed_at: datetime | None = None


@dataclass(frozen=True)
class Outcome:
    """What a batch did; ``publication`` is None if there was nothing new."""

    publication: Publication | None
    batch_id: str | None = None
    loaded: tuple[Loaded, ...] = ()
    built: Built | None = None
    landed: Landed | None = None
    mirrored: tuple[Mirrored, ...] = ()


def run(tools: Tools, request: Request, step: Step) -> Outcome:
    """Run one batch, or one that was published once more. Nothing new is no error and loads nothing."""
    with lease(tools.folder):
        with step("pin the lake"):
            plan = _plan(tools, request)
        outcome = _carry_out(tools, request, plan, step) if plan else Outcome(publication=None)
        with step("load what is known of documents"):
            documents.load(tools.lake, tools.loader, request.now)
        with step("hand tiers and catalogue to the speed layer"):
            hand_over(tools.warehouse, tools.speed, publications(tools.warehouse), request.now)
        return outcome


def _plan(tools: Tools, request: Request) -> Plan | None:
    published = publications(tools.warehouse)
    pinned = pin(tools.lake)
    newest = published[-1] if published else None
    if newest:
        check_never_back(newest.position, pinned.position)
    if request.again:
        span = _part(tools.lake, span_of(published, request.again), pinned, request.days)
        return Plan(request.again, span, pinned, None, visible=published[-1])
    above = newest.position if newest else Position()
    if above.covers(pinned.position):
        return None
    name = request.batch_id or batch_id(len(published) + 1, pinned.position)
    if any(publication.batch_id == name for publication in published):
        raise Misconfigured(f"batch {name} is already published", f"concord batch run --again {name}")
    return Plan(name, Span(above, pinned.position), pinned, newest.as_of if newest else None)


def _part(lake: Lake, whole: Span, pinned: Pin, days: Days) -> Span:
    """The days' share of what a batch brought."""
    return whole if days.are_all else whole.within(received_on(lake, pinned, days))


def brought_on(tools: Tools, days: Days) -> list[str]:
    """The published batches that brought what Kafka received on these days, oldest first.

    Raises :class:`Misconfigured` if there is none.
    """
    received = received_on(tools.lake, pin(tools.lake), days)
    found = [name for name, span in spans(publications(tools.warehouse)).items() if not span.within(received).is_empty]
    if not found:
        raise Misconfigured(
            f"no published batch holds a record that Kafka received from {days}", "`concord batch list`"
        )
    return found


def _carry_out(tools: Tools, request: Request, plan: Plan, step: Step) -> Outcome:
    brought = _bring(tools, request, plan, step)
    with step("merge into RAW"):
        loaded = merge(
            tools.loader,
            brought.staged,
            plan.batch_id,
            brought.landed,
            is_whole=request.days.are_all,
            is_published=plan.visible is not None,
        )
    visible = plan.visible or Publication(
        plan.batch_id, plan.span.upto, _as_of(request, plan, brought.changed_at), request.now
    )
    with step("build and test models"):
        built = bring_up(tools.warehouse, tools.dbt, visible.as_of, visible.position, request.rebuild)
    with step("publish"):
        publish(tools.warehouse, visible)
    return Outcome(visible, plan.batch_id, loaded, built, brought.landed, tuple(brought.mirrored))


def _bring(tools: Tools, request: Request, plan: Plan, step: Step) -> Brought:
    """Every change log's range in its load table, and what this batch makes of the clickstream."""
    with ExitStack() as stack:
        with step("start Spark"):
            spark = stack.enter_context(tools.spark())
        loading = Loading(tools, request, plan, spark, step)
        try:
            loading.bring()
        except ConcordError:
            with suppress(ConcordError):
                loading.note_runs()
            raise
        loading.note_runs()
        return loading.brought


@dataclass
class Loading:
    """The part of a batch that Spark does, one table after the other. ``runs`` say what each step took."""

    tools: Tools
    request: Request
    plan: Plan
    spark: SparkSession
    step: Step
    brought: Brought = field(default_factory=Brought)
    runs: list[JobRun] = field(default_factory=list)
    run_id: str = field(default_factory=lambda: str(uuid4()))

    def bring(self) -> None:
        """Load tables, events, and the lake's mirrors."""
        for feed, wanted in changes_between(self.plan.span):
            self.stage(feed, wanted, self.plan.pin.snapshots[feed.lake.name])
        wanted = between(EVENTS_TOPIC, self.plan.span.above, self.plan.span.upto)
        if not wanted.is_empty:
            self.settle_events(wanted)
        if self.plan.visible is None:
            self.bring_mirrors()

    def settle_events(self, wanted: Range) -> None:
        """Judge what has landed; what came of it goes to RAW like any other table of the lake."""
        snapshot = self.plan.pin.snapshots[EVENTS_LANDING.name]
        with self._booked("judge events", EVENTS.name):
            self.brought.landed = landed = settle(self.spark, wanted, snapshot, self.request.now)
        place = len(self.runs) - 1
        stored, dead = (
            self.stage(feed, wanted, self.tools.lake.current_snapshot(feed.lake.name)) for feed in EVENT_FEEDS
        )
        self.runs[place] = replace(self.runs[place], counts=Counts(landed.total, stored, dead))

    def bring_mirrors(self) -> None:
        """The lake's own current state, at this batch's position."""
        for table in TABLES.values():
            snapshot = self.plan.pin.snapshots[as_change(table).name]
            if snapshot is not None:
                with self._booked(f"mirror {table.name}", table.name) as counts:
                    mirrored = bring_to(self.spark, table, self.plan.span.upto, snapshot)
                    counts.append(Counts(mirrored.records, mirrored.changed_keys, mirrored.set_aside))
                self.brought.mirrored.append(mirrored)

    def stage(self, feed: Feed, wanted: Range, snapshot: int | None) -> int:
        """One table's range in its load table; how many rows. Nothing in the range is nothing to load."""
        if snapshot is None:
            return 0
        with self._booked(f"load {feed.name}", feed.name) as counts:
            rows = changes(self.spark, feed, wanted, snapshot)
            summary = summarize(rows)
            check_unique(feed.lake.name, wanted, summary)
            counts.append(Counts(summary.rows))
            if not summary.rows:
                return 0
            batch = for_raw(rows, feed, self.plan.batch_id, self.request.now)
            stage(batch, feed, self.tools.connector_options)
            dead = unfit(self.tools.loader, feed)
            counts.append(Counts(summary.rows, summary.rows - dead, dead))
        self.brought.staged.append(Staged(feed, wanted, summary.rows, snapshot))
        self.brought.changed_at = max(filter(None, (self.brought.changed_at, summary.changed_at)), default=None)
        return summary.rows

    def note_runs(self) -> None:
        """In the lake's book of runs."""
        visible = self.plan.visible
        as_of = visible.as_of if visible else _as_of(self.request, self.plan, self.brought.changed_at)
        common = Common(self.plan.span.upto, self.plan.pin.snapshots, as_of, self.plan.batch_id)
        with self.step("note what Spark took"), in_words(f"note the batch in {JOB_RUNS.name}", "`concord status`"):
            note(self.spark, self.runs, common)

    @contextmanager
    def _booked(self, job: str, table: str) -> Iterator[list[Counts]]:
        """One step, written down however it ends; the last of the counts that it is given are its rows."""
        started_at, meter, counts = now(), Meter(self.spark), [Counts()]

        def write_down(failure: str | None = None) -> None:
            spent = meter.read()
            run = JobRun(self.run_id, job, self._mode, self.request.days, counts[-1], started_at, now(), spent, failure)
            self.runs.append(run)

        try:
            with self.step(job), _in_words(table):
                yield counts
        except ConcordError as error:
            with suppress(ConcordError), _in_words(table):  # a Java machine that has ended has no figures either
                write_down(error.message)
            raise
        write_down()

    @property
    def _mode(self) -> Mode:
        if self.plan.visible:
            return Mode.RANGE
        return Mode.INCREMENTAL if self.plan.span.above.offsets else Mode.FULL


def _in_words(table: str) -> AbstractContextManager[None]:
    return in_words(f"load {table}", "nothing was loaded; `concord status`")


def _as_of(request: Request, plan: Plan, changed_at: datetime | None) -> datetime:
    """As asked for; else when the newest change was committed, so that the same rows give the same models."""
    known = [instant for instant in (changed_at, plan.previous_as_of) if instant]
    return request.as_of or max(known, default=request.now)


@contextmanager
def silent(_: str) -> Iterator[None]:
    """A step that nobody watches."""
    yield

"""One batch: pin the lake, load RAW, build and test the models beside the published ones, publish.

Nothing of a batch is visible before its last statement. A batch that dies leaves rows in RAW that no
model counts; the next one reads the same range again and merges into what is there.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from pyspark.sql import SparkSession

from concord.batch import documents
from concord.batch.audit_events import Landed
from concord.batch.build import Built, Dbt
from concord.batch.events import settle
from concord.batch.feeds import EVENT_FEEDS, Feed
from concord.batch.hand_over import hand_over
from concord.batch.lease import lease
from concord.batch.load_raw import Loaded, Staged, merge, stage
from concord.batch.mirrors import Mirrored, bring_to
from concord.batch.models import bring_up
from concord.batch.publish import publications, publish
from concord.batch.range import Range, batch_id, between, changes_between, check_never_back, predecessor
from concord.batch.read_lake import Pin, changes, check_unique, for_raw, pin, summarize
from concord.batch.spark_words import in_words
from concord.contracts.events import EVENTS, EVENTS_LANDING
from concord.contracts.names import EVENTS_TOPIC
from concord.contracts.position import Position, Publication
from concord.contracts.tables import TABLES, as_change
from concord.errors import Misconfigured
from concord.gateways.clickhouse import ClickHouse
from concord.gateways.lake import Lake
from concord.gateways.snowflake import Snowflake

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

    ``rebuild``: every model is built anew, not only what changed.
    """

    now: datetime
    again: str | None = None
    batch_id: str | None = None
    as_of: datetime | None = None
    rebuild: bool = False


@dataclass(frozen=True)
class Plan:
    """One batch before it is loaded. ``visible`` is what readers see afterwards, None until ``as_of`` is known."""

    batch_id: str
    above: Position
    upto: Position
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
        return _repeated(published, request.again, pinned)
    above = newest.position if newest else Position()
    if above.covers(pinned.position):
        return None
    name = request.batch_id or batch_id(len(published) + 1, pinned.position)
    if any(publication.batch_id == name for publication in published):
        raise Misconfigured(f"batch {name} is already published", f"concord batch run --again {name}")
    return Plan(name, above, pinned.position, pinned, newest.as_of if newest else None)


def _repeated(published: list[Publication], name: str, pinned: Pin) -> Plan:
    """The same range once more; the models are those of the newest batch, which readers go on seeing."""
    before, again = predecessor(published, name)
    above = before.position if before else Position()
    return Plan(name, above, again.position, pinned, None, visible=published[-1])


def _carry_out(tools: Tools, request: Request, plan: Plan, step: Step) -> Outcome:
    brought = _bring(tools, request, plan, step)
    with step("merge into RAW"):
        loaded = merge(tools.loader, brought.staged, plan.batch_id, brought.landed)
    visible = plan.visible or Publication(
        plan.batch_id, plan.upto, _as_of(request, plan, brought.changed_at), request.now
    )
    with step("build and test models"):
        built = bring_up(tools.warehouse, tools.dbt, visible.as_of, visible.position, anew=request.rebuild)
    with step("publish"):
        publish(tools.warehouse, visible)
    return Outcome(visible, plan.batch_id, loaded, built, brought.landed, tuple(brought.mirrored))


def _bring(tools: Tools, request: Request, plan: Plan, step: Step) -> Brought:
    """Every change log's range in its load table, and what this batch makes of the clickstream."""
    with ExitStack() as stack:
        with step("start Spark"):
            spark = stack.enter_context(tools.spark())
        loading = Loading(tools, request, plan, spark, step)
        for feed, wanted in changes_between(plan.above, plan.upto):
            loading.stage(feed, wanted, plan.pin.snapshots[feed.lake.name])
        wanted = between(EVENTS_TOPIC, plan.above, plan.upto)
        if not wanted.is_empty:
            loading.settle_events(wanted)
        if plan.visible is None:
            loading.bring_mirrors()
        return loading.brought


@dataclass
class Loading:
    """The part of a batch that Spark does, one table after the other."""

    tools: Tools
    request: Request
    plan: Plan
    spark: SparkSession
    step: Step
    brought: Brought = field(default_factory=Brought)

    def settle_events(self, wanted: Range) -> None:
        """Judge what has landed; what came of it goes to RAW like any other table of the lake."""
        snapshot = self.plan.pin.snapshots[EVENTS_LANDING.name]
        with self.step("judge events"), _in_words(EVENTS.name):
            self.brought.landed = settle(self.spark, wanted, snapshot, self.request.now)
        for feed in EVENT_FEEDS:
            self.stage(feed, wanted, self.tools.lake.current_snapshot(feed.lake.name))

    def bring_mirrors(self) -> None:
        """The lake's own current state, at this batch's position."""
        for table in TABLES.values():
            snapshot = self.plan.pin.snapshots[as_change(table).name]
            if snapshot is not None:
                with self.step(f"mirror {table.name}"), _in_words(table.name):
                    self.brought.mirrored.append(bring_to(self.spark, table, self.plan.upto, snapshot))

    def stage(self, feed: Feed, wanted: Range, snapshot: int | None) -> None:
        """One table's range in its load table. Nothing in the range is nothing to load."""
        if snapshot is None:
            return
        with self.step(f"load {feed.name}"), _in_words(feed.name):
            rows = changes(self.spark, feed, wanted, snapshot)
            summary = summarize(rows)
            check_unique(feed.lake.name, wanted, summary)
            if not summary.rows:
                return
            batch = for_raw(rows, feed, self.plan.batch_id, self.request.now)
            stage(batch, feed, self.tools.connector_options)
        self.brought.staged.append(Staged(feed, wanted, summary.rows, snapshot))
        self.brought.changed_at = max(filter(None, (self.brought.changed_at, summary.changed_at)), default=None)


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

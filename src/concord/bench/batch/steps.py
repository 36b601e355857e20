"""The steps of a run, one after the other on one stack, each held against DuckDB alone."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from concord.batch import job
from concord.batch.maintain import compact
from concord.batch.mirrors import bring_to, held
from concord.batch.read_lake import Pin, pin
from concord.bench.batch import Peer, Step, dbt_duckdb, shop
from concord.bench.batch import held as stores
from concord.bench.batch.compare import Compared
from concord.bench.batch.files import ChangeFiles
from concord.bench.batch.logs import Logs, Offsets, count
from concord.bench.batch.meter import Took, metered
from concord.bench.batch.own_process import Spent
from concord.bench.batch.single import compute, connected
from concord.bench.batch.sink import drained
from concord.bench.batch.to_lake import write
from concord.contracts.position import Publication
from concord.contracts.tables import ORDER_ITEMS, TABLES, as_change, as_landed
from concord.settings import Settings
from concord.telemetry.clock import now
from concord.telemetry.timed import Timed

LINES_OF_THE_SINK = 1_000_000
"""So many lines at most go through Kafka; what follows is written into the lake as the sink would."""
MEGABYTE = 1_000_000
LEAST_SECONDS = 0.1
"""To which times of a batch's steps are rounded."""


@dataclass
class Bench:
    """One run on one stack. ``figures`` and what stands beside them grow with each step."""

    settings: Settings
    tools: job.Tools
    folder: Path
    seed: int
    say: Callable[[str], None]
    asked: frozenset[Peer] = frozenset()
    figures: dict[str, Any] = field(default_factory=dict)
    single: dict[str, Any] = field(default_factory=dict)
    same_models: dict[str, dict[str, Any]] = field(default_factory=dict)
    compared: list[Compared] = field(default_factory=list)
    _offsets: Offsets = field(default_factory=Offsets, init=False)

    def __post_init__(self) -> None:
        self._files = ChangeFiles(self.folder / "changes")

    def run(self, history: Logs, day: Logs, steps: frozenset[Step]) -> None:
        self._fill(history, with_sink=Step.SINK in steps)
        if Step.BATCH in steps:
            self._batch(Step.BATCH, history)
        if Step.DAY in steps:
            with self.tools.spark() as spark:
                self._write(spark, "day", day)
            self._batch(Step.DAY, day)
        if {Step.MERGE, Step.COMPACTION} & steps:
            self._with_spark(steps)

    # --- the lake ---

    def _fill(self, history: Logs, with_sink: bool) -> None:
        """The history in the change logs: the first of it by the sink, if that is asked for."""
        first, rest = shop.first_lines(history, LINES_OF_THE_SINK if with_sink else 0)
        if with_sink:
            self._sink(first)
        if count(rest):
            with self.tools.spark() as spark:
                self._write(spark, "history", rest)
        self._check("the change logs", self._change_logs())

    def _sink(self, logs: Logs) -> None:
        self.say(f"sink: {count(logs):,} changes through Kafka into the lake")
        for name, rows in logs.items():
            self._files.add("sink", name, self._offsets.placed(TABLES[name], rows))
        found = drained(self.settings, logs)
        self.figures[Step.SINK] = {
            "rows": found.rows,
            "bytes": found.bytes,
            "rows_per_second": found.rows_per_second,
            "after_first_commit_per_second": found.after_first_commit,
            **_took(found.took, seconds=found.seconds),
        }

    def _write(self, spark: Any, part: str, logs: Logs) -> None:
        """Into the lake as the sink would."""
        self.say(f"write {count(logs):,} changes of the {part} into the lake")
        for name, rows in logs.items():
            path = self._files.add(part, name, self._offsets.placed(TABLES[name], rows))
            if rows.num_rows:
                write(spark, TABLES[name], path, rows.num_rows)

    def _change_logs(self) -> list[Compared]:
        with connected(self.folder / "compare.duckdb") as duck:
            return list(stores.change_logs(self.tools.lake, self._files, duck))

    # --- the whole batch ---

    def _batch(self, step: Step, came: Logs) -> None:
        """One batch from the lake to the marts, and DuckDB alone on the same changes."""
        self.say(f"{step}: {count(came):,} changes from the lake to the marts")
        timed = Timed()
        with metered(self.settings) as took:
            outcome = job.run(self.tools, job.Request(now()), timed.step)
        self.figures[step] = {
            **_loaded(outcome, timed.seconds),
            **_built(outcome),
            **_took(took),
            "seconds_by_step": timed.seconds,
        }
        as_of = datetime.fromtimestamp(shop.last_moment(came) / 1000, UTC)
        self.say(f"{step}: the same by DuckDB alone")
        alone = compute(self._files.paths, as_of, self.folder / f"{step}.duckdb")
        self.single[step] = _alone(alone.spent, took)
        self._check(f"{step}: mirrors", stores.mirrors(self.tools.lake, alone.file))
        self._check(f"{step}: staging and marts", stores.published(self.tools.warehouse, alone.file))
        with connected(self.folder / "compare.duckdb") as duck:
            self._check(f"{step}: RAW", stores.raw(self.tools.warehouse, self._files, duck))
        if Peer.DBT_DUCKDB in self.asked and outcome.publication:
            self._dbt_duckdb(step, outcome.publication, took)

    def _dbt_duckdb(self, step: Step, published: Publication, took: Took) -> None:
        """The models that the batch has built, built anew by dbt-duckdb from the changes so far."""
        self.say(f"{step}: the same models by {Peer.DBT_DUCKDB}")
        folder = self.folder / Peer.DBT_DUCKDB
        ran = dbt_duckdb.run(self.tools.dbt, self._files.paths, published.as_of, published.position, folder)
        self.same_models.setdefault(Peer.DBT_DUCKDB, {})[step] = {
            **_alone(ran.spent, took),
            "models": ran.built.models,
            "tests_passed": ran.built.tests_passed,
        }
        self._check(f"{step}: {Peer.DBT_DUCKDB}", stores.built_by_dbt(self.tools.warehouse, ran.file))

    # --- one table of the lake ---

    def _with_spark(self, steps: frozenset[Step]) -> None:
        with self.tools.spark() as spark:
            if Step.MERGE in steps:
                self._merge(spark)
            if Step.COMPACTION in steps:
                self._compact(spark)

    def _merge(self, spark: Any) -> None:
        """1 % of the lines, all over the table, into their mirror."""
        if held(spark, ORDER_ITEMS) is None:
            bring_mirror(spark, pin(self.tools.lake))
        edits = shop.edits(self._files.rows(ORDER_ITEMS.name), self.seed)
        self._write(spark, "edits", edits)
        rows = self.tools.lake.row_count(ORDER_ITEMS.name)
        self.say(f"merge: {count(edits):,} changes into a mirror of {rows:,} rows")
        pinned = pin(self.tools.lake)
        with metered(self.settings) as took:
            changed = bring_mirror(spark, pinned)
        self.figures[Step.MERGE] = {
            "rows": rows,
            "changed": changed,
            "changed_per_second": changed / took.seconds,
            **_took(took),
        }
        with connected(self.folder / "compare.duckdb") as duck:
            self._check("merge", [stores.mirror_now(self.tools.lake, self._files, duck, ORDER_ITEMS)])

    def _compact(self, spark: Any) -> None:
        """The change log of the lines, of which nobody writes a partition any more."""
        dataset = as_landed(ORDER_ITEMS)
        before = self.tools.lake.figures(dataset.name)
        self.say(f"compaction: {before.files:,} files of {before.bytes / MEGABYTE:,.1f} MB")
        with metered(self.settings) as took:
            compact(spark, dataset, now() + timedelta(days=1))
        after = self.tools.lake.figures(dataset.name)
        self.figures[Step.COMPACTION] = {
            "files_before": before.files,
            "files_after": after.files,
            "bytes_before": before.bytes,
            "bytes_after": after.bytes,
            "mb_per_second": before.bytes / MEGABYTE / took.seconds,
            **_took(took),
        }
        with connected(self.folder / "compare.duckdb") as duck:
            self._check("compaction", [stores.change_log(self.tools.lake, self._files, duck, ORDER_ITEMS)])

    def _check(self, what: str, found: Iterable[Compared]) -> None:
        compared = list(found)
        self.compared += compared
        wrong = [one for one in compared if not one.is_equal]
        self.say(f"{what}: {sum(one.rows for one in compared):,} rows compared, {len(wrong)} tables differ")


def bring_mirror(spark: Any, pinned: Pin) -> int:
    """The lines' mirror to where its change log is; how many keys changed."""
    snapshot = pinned.snapshots[as_change(ORDER_ITEMS).name]
    return bring_to(spark, ORDER_ITEMS, pinned.position, snapshot).changed_keys


def _took(took: Took, seconds: float | None = None) -> dict[str, Any]:
    return {**took.document(), "seconds": took.seconds if seconds is None else seconds}


def _loaded(outcome: job.Outcome, seconds: Mapping[str, float]) -> dict[str, Any]:
    """Rows into RAW and how fast the connector brought them: reading, counting and writing, without the merge."""
    rows = sum(one.rows_read for one in outcome.loaded)
    connector = sum(seconds[f"load {one.table}"] for one in outcome.loaded)
    whole = connector + seconds["merge into RAW"]
    return {
        "rows": rows,
        "connector_rows_per_second": rows / max(connector, LEAST_SECONDS),
        "with_merge_rows_per_second": rows / max(whole, LEAST_SECONDS),
    }


def _built(outcome: job.Outcome) -> dict[str, Any]:
    built = outcome.built
    assert built is not None
    return {"models": built.models, "tests_passed": built.tests_passed, "tests_warned": list(built.warnings)}


def _alone(alone: Spent, took: Took) -> dict[str, Any]:
    return {
        **asdict(alone),
        "times_as_long": took.seconds / alone.seconds,
        "times_the_cpu": sum(took.cpu_seconds.values()) / alone.cpu_seconds,
    }

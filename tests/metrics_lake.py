"""A shop's life and its visitors in a local lake, with the metrics that Spark computes of them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from concord.batch.days import Days
from concord.batch.job import silent
from concord.batch.job_runs import JobRun
from concord.batch.metrics import job
from concord.batch.mirrors import bring_to
from concord.contracts.events import EVENTS
from concord.contracts.lake_metrics import JOB_RUNS, LAKE_METRICS, OF_RUN
from concord.contracts.marts import MARTS, stamp
from concord.contracts.model import Dataset
from concord.contracts.names import EVENTS_TOPIC
from concord.contracts.position import Position
from concord.contracts.tables import TABLES, as_change, in_lake
from concord.gateways.spark import ADAPTIVE
from tests.local_lake import LocalLake
from tests.marts_oracle import Oracle
from tests.shop_history import ShopHistory
from tests.visits import Visits

Values = tuple[Any, ...]
MART_OF = {
    "customer_metrics": "customer_analytics",
    "product_metrics": "product_performance",
    "order_metrics": "daily_business_metrics",
}
STAMPS = tuple(column.name for column in OF_RUN)


@dataclass
class MetricsLake:
    """One shop. ``clock`` goes on by a second each time that it is looked at."""

    lake: LocalLake
    history: ShopHistory
    visits: Visits
    loaded: Position = field(default_factory=Position)
    looked: int = 0
    ran: int = 0

    def __post_init__(self) -> None:
        for dataset in (*LAKE_METRICS.values(), JOB_RUNS, in_lake(EVENTS)):
            self.lake.create(dataset)
        for key, value in ADAPTIVE.items():
            self.lake.spark.conf.set(key, value)

    @property
    def position(self) -> Position:
        return self.of_tables.merge(self.visits.position())

    @property
    def of_tables(self) -> Position:
        """The history's, without the visits that it has of its own."""
        return Position.of(entry for entry in self.history.position() if entry[0] != EVENTS_TOPIC)

    def load(self) -> None:
        """What a batch does to the lake: the change logs, the mirrors, the events."""
        above = self.history.above(self.loaded)
        for name, rows in above.items():
            if rows and name in TABLES:
                self.lake.append(TABLES[name], *rows)
                snapshot = self.lake.current_snapshot(as_change(TABLES[name]).name)
                bring_to(self.lake.spark, TABLES[name], self.of_tables, snapshot)
        if events := self.visits.to_store():
            self.lake.fill(EVENTS, events)
        self.loaded = self.of_tables

    def compute(
        self, *tables: str, days: Days | None = None, is_full: bool = False, as_of: datetime | None = None
    ) -> Mapping[str, JobRun]:
        """One run; each has a number for its id."""
        self.ran += 1
        request = job.Request(
            run_id=f"run {self.ran}",
            position=self.position,
            as_of=as_of or self.history.as_of(),
            tables=tables or tuple(LAKE_METRICS),
            days=days,
            is_full=is_full,
        )
        return {run.job: run for run in job.run(self.lake.spark, request, self.clock, silent)}

    def clock(self) -> datetime:
        self.looked += 1
        return datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=self.looked)

    def rows(self, dataset: Dataset, columns: Sequence[str]) -> list[Values]:
        """In the order of their keys."""
        found = self.lake.table(dataset).orderBy(*dataset.key).select(*columns).collect()
        return [tuple(row) for row in found]

    def figures(self) -> dict[str, list[Values]]:
        """Every row of every table, but for who wrote it when."""
        return {
            name: self.rows(dataset, [column for column in dataset.names if column not in STAMPS])
            for name, dataset in LAKE_METRICS.items()
        }

    def written_by(self, dataset: Dataset) -> dict[date, str]:
        """The run that wrote a day's rows; one alone, or this fails."""
        found = dict(self.rows(dataset, ("date", "batch_id")))
        assert len({*self.rows(dataset, ("date", "batch_id"))}) == len(found)
        return found

    def shared(self) -> Iterator[tuple[str, list[Values], list[Values]]]:
        """Table, what Spark computed and what the oracle of dbt's marts says, in the columns that both have."""
        expected = Oracle(self.history, self.history.as_of()).expected()
        for name, mart_name in MART_OF.items():
            mart, dataset = MARTS[mart_name], LAKE_METRICS[name]
            columns = [column for column in mart.names if column in dataset.names and column != stamp(mart)]
            yield name, self.rows(dataset, columns), picked(mart, columns, expected[mart_name])


def picked(mart: Dataset, columns: Sequence[str], rows: Sequence[Values]) -> list[Values]:
    """These columns of the oracle's rows."""
    places = [mart.names.index(column) for column in columns]
    return [tuple(row[place] for place in places) for row in rows]


@contextmanager
def metrics_lake(lake: LocalLake, seed: int) -> Iterator[MetricsLake]:
    """Forty days of a shop, loaded, not computed."""
    found = MetricsLake(lake, ShopHistory(seed).live(days=40, changes=8), Visits(seed).live(600))
    found.load()
    yield found
    lake.clear()

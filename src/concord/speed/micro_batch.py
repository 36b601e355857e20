"""What every micro-batch does, whatever it carries: store the data, then the position, then say so."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from time import perf_counter

import pyarrow as pa
import stamina
from pyspark.sql import DataFrame

from concord.contracts.derived import SPEED_POSITION
from concord.dialects.arrow import arrow_schema
from concord.errors import Unavailable
from concord.gateways.clickhouse import ClickHouse
from concord.speed.batch_token import BatchToken
from concord.speed.failpoint import Failpoint, Step
from concord.speed.report import Finished, Report, log_line
from concord.speed.tally import Done, Tally

RETRY_SECONDS = 60
AWAY_SECONDS = 600
"""So long a driver waits for a store that is away: it is fresh again sooner than one that starts anew."""
QUERY_ID = "sql.streaming.queryId"
"""Spark's name for the id that lives in the checkpoint."""

Write = Callable[[DataFrame, BatchToken, datetime], Done]
"""Of the records, the batch's name and when it was planned."""


def unfenced() -> None:
    """For one driver that nobody else could stand in for."""


@dataclass(frozen=True)
class MicroBatch:
    """The function that Spark calls per micro-batch. It may be called again for the same one: nothing changes.

    While a store does not answer it tries again for a while, then fails and with it the query; the
    batch stays open in the checkpoint, so nothing is lost.
    """

    query: str
    write: Write
    store: ClickHouse
    clock: Callable[[], datetime]
    planned_at: Callable[[int], datetime]
    failpoint: Failpoint = field(default_factory=Failpoint)
    report: Report = log_line
    fence: Callable[[], None] = unfenced

    def __call__(self, records: DataFrame, batch_id: int) -> None:
        checkpoint_id = str(records.sparkSession.sparkContext.getLocalProperty(QUERY_ID))
        for attempt in stamina.retry_context(on=Unavailable, attempts=None, timeout=RETRY_SECONDS, wait_max=10.0):
            with attempt:
                if attempt.num > 1:
                    self._await_store()
                self.run(records, BatchToken(self.query, checkpoint_id, batch_id))

    def _await_store(self) -> None:
        """Ask the store alone: an attempt reads Kafka and judges, and all that in vain."""
        for attempt in stamina.retry_context(on=Unavailable, attempts=None, timeout=AWAY_SECONDS, wait_max=2.0):
            with attempt:
                self.store.query("select 1")

    def run(self, records: DataFrame, token: BatchToken) -> Done:
        """One attempt. Data first, position last: what the position covers is there."""
        self.fence()
        self.failpoint.reached(Step.BATCH_OPEN, self.query)
        began_at, started = self.clock(), perf_counter()
        done = self.write(records, token, self.planned_at(token.batch_id))
        stored = perf_counter()
        self.failpoint.reached(Step.DATA_STORED, self.query)
        self._store_position(done.tallies, token)
        self.failpoint.reached(Step.POSITION_STORED, self.query)
        finished = Finished(
            self.query, token.batch_id, done, began_at, stored - started, position_seconds=perf_counter() - stored
        )
        self.report(finished)
        return done

    def _store_position(self, tallies: Sequence[Tally], token: BatchToken) -> None:
        rows = [tally.as_position(self.query, token.batch_id, self.clock()) for tally in tallies]
        ranges = {(tally.topic, tally.partition): (tally.first, tally.last) for tally in tallies}
        table = pa.Table.from_pylist(rows, schema=arrow_schema(SPEED_POSITION))
        self.store.insert_arrow(SPEED_POSITION.name, table, token.of(SPEED_POSITION.name, ranges))

"""What every micro-batch does, whatever it carries: store the data, then the position, then say so."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter

import pyarrow as pa
import stamina
import structlog
from pyspark.sql import DataFrame

from concord.contracts.derived import SPEED_POSITION
from concord.errors import Unavailable
from concord.gateways.clickhouse import ClickHouse
from concord.speed.batch_token import BatchToken
from concord.speed.failpoint import Step, reached
from concord.speed.records import arrow_schema
from concord.speed.tally import Tally, totals

log = structlog.get_logger()

RETRY_SECONDS = 60
QUERY_ID = "sql.streaming.queryId"
"""Spark's name for the id that lives in the checkpoint."""

Write = Callable[[DataFrame, BatchToken], list[Tally]]


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
    failpoint: str = ""

    def __call__(self, records: DataFrame, batch_id: int) -> None:
        checkpoint_id = str(records.sparkSession.sparkContext.getLocalProperty(QUERY_ID))
        for attempt in stamina.retry_context(on=Unavailable, attempts=None, timeout=RETRY_SECONDS, wait_max=10.0):
            with attempt:
                self.run(records, BatchToken(self.query, checkpoint_id, batch_id))

    def run(self, records: DataFrame, token: BatchToken) -> list[Tally]:
        """One attempt. Data first, position last: what the position covers is there."""
        reached(Step.BATCH_OPEN, self.query, self.failpoint)
        started = perf_counter()
        tallies = self.write(records, token)
        stored = perf_counter()
        reached(Step.DATA_STORED, self.query, self.failpoint)
        self._store_position(tallies, token)
        reached(Step.POSITION_STORED, self.query, self.failpoint)
        _report(token, tallies, data_seconds=stored - started, position_seconds=perf_counter() - stored)
        return tallies

    def _store_position(self, tallies: list[Tally], token: BatchToken) -> None:
        rows = [tally.as_position(self.query, token.batch_id, self.clock()) for tally in tallies]
        ranges = {(tally.topic, tally.partition): (tally.first, tally.last) for tally in tallies}
        table = pa.Table.from_pylist(rows, schema=arrow_schema(SPEED_POSITION))
        self.store.insert_arrow(SPEED_POSITION.name, table, token.of(SPEED_POSITION.name, ranges))


def _report(token: BatchToken, tallies: list[Tally], data_seconds: float, position_seconds: float) -> None:
    log.info(
        "micro_batch",
        query=token.query,
        batch_id=token.batch_id,
        **totals(tallies),
        data_ms=round(data_seconds * 1000),
        position_ms=round(position_seconds * 1000),
    )

"""While nothing comes in, the lateness bound goes on by the clock, so that sessions close."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa
import structlog

from concord.contracts.derived import IDLE_BOUNDS
from concord.dialects.arrow import arrow_schema
from concord.errors import ConcordError
from concord.gateways.clickhouse import ClickHouse
from concord.gateways.kafka import Kafka
from concord.speed.lateness import ALLOWED

log = structlog.get_logger()

CLOCKS_DIFFER = timedelta(seconds=5)
"""The broker's clock stamps the receipt, ours says how late it is."""


@dataclass(frozen=True)
class IdleBound:
    """Call it now and then: it moves the bound if the store holds everything that the topic had just now."""

    query: str
    store: ClickHouse
    kafka: Kafka
    topic: str
    clock: Callable[[], datetime]

    def __call__(self) -> None:
        """Never fails: a store that is away is the queries' business."""
        try:
            looked_at = self.clock()
            end = self.kafka.end_position([self.topic])
            if self.store.position().covers(end):
                self._store(looked_at)
        except ConcordError as error:
            log.warning("idle_bound_not_moved", reason=error.message)

    def _store(self, looked_at: datetime) -> None:
        row = {"query": self.query, "bound": looked_at - CLOCKS_DIFFER - ALLOWED, "written_at": looked_at}
        rows = pa.Table.from_pylist([row], schema=arrow_schema(IDLE_BOUNDS))
        self.store.insert_arrow(IDLE_BOUNDS.name, rows, f"{self.query}|{looked_at.isoformat()}")

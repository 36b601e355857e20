"""Sessions of a micro-batch go to rest, and the open ones are kept in mind for the next.

The row of ``sessions`` is written last of what follows from it, and all rows of a micro-batch in one insert:
where they are, the funnels are, and a second run has nothing left to do.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl
import pyarrow as pa

from concord.contracts.behaviour import FUNNEL_CATEGORY_MINUTES, FUNNEL_MINUTES, SESSIONS
from concord.contracts.derived import SPEED_POSITION
from concord.contracts.model import Dataset
from concord.contracts.types import Uuid
from concord.dialects.arrow import arrow_schema
from concord.gateways.clickhouse import ClickHouse
from concord.rules.sessions import INACTIVITY_MS
from concord.speed.batch_token import BatchToken
from concord.speed.failpoint import Failpoint, Step
from concord.speed.sessions.funnel import deltas
from concord.speed.sessions.rows import EVENT_SCHEMA, SESSION_SCHEMA
from concord.speed.sessions.state import SessionState
from concord.speed.tally import Partition

Ranges = Mapping[Partition, tuple[int, int]]

FROM_EVENT = [name for name in EVENT_SCHEMA.names() if name not in ("owner", "occurred_at")]
AT_REST = f"""
select owner, toUnixTimestamp64Milli(e.occurred_at) as occurred_at, toString(e.event_id) as event_id,
    {", ".join(name for name in FROM_EVENT if name != "event_id")}
from owner_events as e inner join asked on e.owner = asked.owner
where e.owner in (select owner from asked)
    and e.occurred_at >= fromUnixTimestamp64Milli(toInt64(from_ms), 'UTC')
    and e._timestamp >= (select fromUnixTimestamp64Milli(min(toInt64(from_ms)), 'UTC') - interval 1 hour from asked)
"""
"""Every timely event of the owners asked for. Kafka may receive an event a little before it says it happened."""

IDS_AS_TEXT = [
    f"toString({column.name}) as {column.name}" if isinstance(column.type, Uuid) else column.name
    for column in SESSIONS.columns
    if column.name in SESSION_SCHEMA
]
"""Arrow would have them as bytes."""

OPEN = f"""
select {", ".join(IDS_AS_TEXT)} from sessions final
where not is_withdrawn and ended_at >= (select bound from lateness_bound) - interval {INACTIVITY_MS} millisecond
"""
"""Sessions that an event may still change, in their highest version."""


@dataclass(frozen=True)
class Remembered:
    """The sessions after a micro-batch, in the memory of the worker that made them."""

    version: int
    state: SessionState


_REMEMBERED: dict[str, Remembered] = {}
"""By checkpoint: one in production, several where tests share a worker."""


@dataclass(frozen=True)
class StoreSessions:
    """One attempt at the sessions of one micro-batch. Every attempt leaves the same rows."""

    store: ClickHouse
    token: BatchToken
    failpoint: Failpoint = field(default_factory=Failpoint)
    await_events: Callable[[], None] = lambda: None
    """Returns when the micro-batch's events are at rest: nothing of a session is read or written before."""

    def __call__(self, events: pa.Table, bound: datetime, ranges: Ranges, written_at: datetime) -> Mapping[str, int]:
        """Take in the timely ``events`` that this micro-batch stores; what is held afterwards, for the metrics."""
        state = self._base()
        if state is None:
            return {}
        changes = state.update(as_frame(events), self._at_rest, self.token.batch_id)
        minutes, category_minutes = deltas(changes)
        self._insert(FUNNEL_MINUTES, minutes, ranges, Step.FUNNELS_STORED)
        self._insert(FUNNEL_CATEGORY_MINUTES, category_minutes, ranges, Step.CATEGORIES_STORED)
        sessions = changes.after.with_columns(written_at=pl.lit(written_at))
        self._insert(SESSIONS, sessions, ranges, Step.SESSIONS_STORED)
        state.commit(changes)
        state.settle(round(bound.timestamp() * 1000))
        self._remember(state)
        return {"sessions_changed": len(changes.after), "sessions_open": state.rows, "state_bytes": state.bytes}

    def _base(self) -> SessionState | None:
        """The state before this micro-batch; None if an earlier attempt has already done its part.

        To take the events in once more would not do: a session that they made final may be held no longer.
        """
        remembered = _REMEMBERED.get(self.token.checkpoint_id)
        if remembered and remembered.version == self.token.batch_id:
            return None
        if remembered and remembered.version == self._last_batch():
            return remembered.state
        state = SessionState.of(_frame(self.store.query_arrow(OPEN)))
        if self._is_done():
            self._remember(state)
            return None
        return state

    def _last_batch(self) -> int | None:
        """The newest micro-batch whose position is at rest."""
        last = self.store.query(
            f"select maxOrNull(batch_id) from {SPEED_POSITION.name} where query = {{query:String}}",
            {"query": self.token.query},
        )[0][0]
        return None if last is None else int(last)

    def _is_done(self) -> bool:
        found = self.store.query(
            f"select count() from {SESSIONS.name} where version = {{version:Int64}}", {"version": self.token.batch_id}
        )
        return bool(found[0][0])

    def _remember(self, state: SessionState) -> None:
        _REMEMBERED[self.token.checkpoint_id] = Remembered(self.token.batch_id, state)

    def _insert(self, dataset: Dataset, rows: pl.DataFrame, ranges: Ranges, step: Step) -> None:
        self.await_events()
        table = rows.select(dataset.names).to_arrow().cast(arrow_schema(dataset))
        self.store.insert_arrow(dataset.name, table, self.token.of(dataset.name, ranges))
        self.failpoint.reached(step, self.token.query)

    def _at_rest(self, owners: pl.DataFrame) -> pl.DataFrame:
        self.await_events()
        asked = owners.select(pl.all().cast(pl.String)).to_arrow()
        return _frame(self.store.query_arrow(AT_REST, given={"asked": asked}))


def as_frame(events: pa.Table) -> pl.DataFrame:
    """What sessions need to know of enriched events."""
    by_user = "user:" + pl.col("user_id").cast(pl.String)
    return _frame(events.select(["anonymous_id", "occurred_at", *FROM_EVENT])).select(
        pl.coalesce("anonymous_id", by_user).alias("owner"),
        pl.col("occurred_at").dt.epoch("ms"),
        *FROM_EVENT,
    )


def _frame(table: pa.Table) -> pl.DataFrame:
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return frame

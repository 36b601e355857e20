"""Rows of each store at a cut, in canonical form. Only reads; computes nothing that the layers compute."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import polars as pl
import pyarrow as pa

from concord.contracts.behaviour import LATE_EVENTS, SESSIONS
from concord.contracts.derived import DEAD_LETTERS, STAGING
from concord.contracts.events import EVENTS
from concord.contracts.funnels import BATCH_SESSIONS
from concord.contracts.model import Column, Dataset
from concord.contracts.names import cdc_topic
from concord.contracts.tables import ORDERS, POSITION_COLUMNS, TABLES, as_change
from concord.contracts.types import BigInt, Boolean, Date, Decimal, Instant, Integer
from concord.dialects import clickhouse as clickhouse_dialect
from concord.dialects import snowflake as snowflake_dialect
from concord.gateways.clickhouse import ClickHouse
from concord.gateways.snowflake import Snowflake
from concord.reconcile import canonical
from concord.reconcile.cut import Cut
from concord.rules.sessions import INACTIVITY_MS

EVENT_COLUMNS = tuple(column for column in EVENTS.columns if column not in POSITION_COLUMNS)
"""What an event is, wherever it lies."""
BY_THE_CATALOGUE = ("cart_value",)
"""What a session says with the help of prices that the layers come to know at different times."""
SESSION_COLUMNS = tuple(
    column for column in SESSIONS.columns if column.name in BATCH_SESSIONS.names and column.name not in BY_THE_CATALOGUE
)
LATE = BATCH_SESSIONS["late_events"]
CLICK_COLUMNS = (SESSIONS["owner"], EVENTS["occurred_at"])
LETTER_COLUMNS = tuple(DEAD_LETTERS[name] for name in ("_partition", "_offset", "reason", "pointer"))
KEPT = timedelta(days=min(clickhouse_dialect.EXPIRY_DAYS[name] for name in (EVENTS.name, DEAD_LETTERS.name)) - 1)
"""The speed layer forgets older events; the batch layer does not."""
PAUSE = timedelta(milliseconds=INACTIVITY_MS)

NUMERIC = (BigInt, Integer, Decimal, Instant, Date, Boolean)


class Reader(Protocol):
    """A PostgreSQL connection's answer to one query, as rows."""

    def query(self, sql: str) -> Sequence[Sequence[Any]]: ...


def _schema(columns: Sequence[Column]) -> dict[str, pl.DataType]:
    return {c.name: pl.Int64() if isinstance(c.type, NUMERIC) else pl.String() for c in columns}


def _frame(rows: pa.Table, columns: Sequence[Column]) -> pl.DataFrame:
    """An Arrow table as typed canonical rows."""
    frame = pl.from_arrow(rows)
    assert isinstance(frame, pl.DataFrame)
    return frame.select(pl.col(name).cast(kind) for name, kind in _schema(columns).items())


def _rows(rows: Sequence[Sequence[Any]], columns: Sequence[Column]) -> pl.DataFrame:
    """Rows in the order of ``columns`` as typed canonical rows."""
    return pl.DataFrame(rows, schema=_schema(columns), orient="row")


def _written(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


POSITIONS = (
    Column("_partition", as_change(ORDERS)["_partition"].type),
    Column("_offset", as_change(ORDERS)["_offset"].type),
)


@dataclass(frozen=True)
class SpeedExtract:
    """Reads ClickHouse."""

    store: ClickHouse

    def rows(self, table: Dataset, cut: Cut) -> pl.DataFrame:
        """State of ``table`` at the cut, one row per key."""
        state = clickhouse_dialect.state_query(table, f"{table.name}_changes", cut.predicate(cdc_topic(table)))
        columns = canonical.select_list(table.columns, canonical.clickhouse)
        return _frame(self.store.query_arrow(f"select {columns} from ({state}) as state"), table.columns)

    def positions(self, table: Dataset, cut: Cut) -> pl.DataFrame:
        """The (partition, offset) of every change held at or below the cut."""
        log = f"select _partition, _offset from {table.name}_changes where {cut.predicate(cdc_topic(table))}"
        return _frame(self.store.query_arrow(log), POSITIONS)

    def events(self, cut: Cut, since: datetime) -> pl.DataFrame:
        """Events at or below the cut that came since then, late ones too, one row per id."""
        names = ", ".join(column.name for column in EVENT_COLUMNS)
        held = f"{cut.of_events()} and _timestamp >= toDateTime64('{_written(since)}', 3, 'UTC')"
        every = " union all ".join(f"select {names} from {d.name} where {held}" for d in (EVENTS, LATE_EVENTS))
        columns = canonical.select_list(EVENT_COLUMNS, canonical.clickhouse)
        return _frame(self.store.query_arrow(f"select {columns} from ({every}) as events"), EVENT_COLUMNS)

    def dead_letters(self, cut: Cut, since: datetime) -> pl.DataFrame:
        """Dead letters of the clickstream at or below the cut that came since then."""
        names = ", ".join(column.name for column in LETTER_COLUMNS)
        held = f"{cut.of_events()} and _timestamp >= toDateTime64('{_written(since)}', 3, 'UTC')"
        return _frame(self.store.query_arrow(f"select {names} from dead_letters where {held}"), LETTER_COLUMNS)

    def sessions(self, since: datetime) -> pl.DataFrame:
        """Sessions as they are now that could be within reach of an event since then."""
        columns = canonical.select_list(SESSION_COLUMNS, canonical.clickhouse)
        recent = f"ended_at >= toDateTime64('{_written(since - PAUSE)}', 3, 'UTC')"
        query = f"select {columns} from (select * from sessions_current where {recent}) as sessions"
        return _frame(self.store.query_arrow(query), SESSION_COLUMNS)

    def clicks_beyond(self, cut: Cut) -> pl.DataFrame:
        """Owner and time of every timely event above the cut."""
        owner = "ifNull(anonymous_id, concat('user:', toString(user_id)))"
        query = f"select {owner} as owner, toUnixTimestamp64Milli(occurred_at) as occurred_at from {EVENTS.name}"
        return _frame(self.store.query_arrow(f"{query} where not {cut.of_events()}"), CLICK_COLUMNS)

    def days(self, cut: Cut) -> pl.DataFrame:
        """Orders and revenue per day and status, summed by ClickHouse."""
        state = clickhouse_dialect.state_query(ORDERS, "orders_changes", cut.predicate(cdc_topic(ORDERS)))
        return _frame(
            self.store.query_arrow(
                "select toInt64(toDate(created_at)) as day, status, toInt64(count()) as orders, "
                f"toInt64(sum(total_amount) * 100) as cents from ({state}) as state group by day, status"
            ),
            DAYS,
        )


@dataclass(frozen=True)
class BatchExtract:
    """Reads Snowflake: the loaded change logs, and what was published from them."""

    store: Snowflake

    def rows(self, table: Dataset, cut: Cut) -> pl.DataFrame:
        """State of ``table`` at the cut from RAW, one row per key."""
        state = snowflake_dialect.state_query(table, f"RAW.{table.name}", cut.predicate(cdc_topic(table)))
        columns = canonical.select_list(table.columns, canonical.snowflake)
        return _rows(self.store.query(f"select {columns} from ({state}) as state"), table.columns)

    def published(self, table: Dataset) -> pl.DataFrame:
        """What STAGING shows of ``table`` now: the source's columns only."""
        staged = STAGING[f"{table.name}_enhanced"]
        columns = tuple(column for column in table.columns if column.name in staged.names)
        select = canonical.select_list(columns, canonical.snowflake)
        return _rows(self.store.query(f"select {select} from STAGING.{staged.name}"), columns)

    def positions(self, table: Dataset, cut: Cut) -> pl.DataFrame:
        """The (partition, offset) of every change loaded at or below the cut."""
        log = f"select _partition, _offset from RAW.{table.name} where {cut.predicate(cdc_topic(table))}"
        return _rows(self.store.query(log), POSITIONS)

    def events(self, cut: Cut, since: datetime) -> pl.DataFrame:
        """Events in RAW at or below the cut that came since then, one row per id."""
        columns = canonical.select_list(EVENT_COLUMNS, canonical.snowflake)
        held = f"{cut.of_events()} and _timestamp >= '{_written(since)}'::timestamp_ntz"
        return _rows(self.store.query(f"select {columns} from (select * from RAW.events where {held})"), EVENT_COLUMNS)

    def dead_letters(self, cut: Cut, since: datetime) -> pl.DataFrame:
        """Dead letters in RAW at or below the cut that came since then."""
        names = ", ".join(column.name for column in LETTER_COLUMNS)
        held = f"{cut.of_events()} and _timestamp >= '{_written(since)}'::timestamp_ntz"
        return _rows(self.store.query(f"select {names} from RAW.dead_letters where {held}"), LETTER_COLUMNS)

    def sessions(self, since: datetime) -> pl.DataFrame:
        """Published sessions that could be within reach of an event since then; each says how many were late."""
        columns = (*SESSION_COLUMNS, LATE)
        recent = f"ended_at >= '{_written(since - PAUSE)}'::timestamp_ntz"
        sessions = f"(select * from STAGING.{BATCH_SESSIONS.name} where {recent}) as sessions"
        return _rows(
            self.store.query(f"select {canonical.select_list(columns, canonical.snowflake)} from {sessions}"), columns
        )

    def clicks_beyond(self, cut: Cut) -> pl.DataFrame:
        """Owner and time of every event in RAW above the cut."""
        owner = "coalesce(anonymous_id, 'user:' || user_id::string)"
        query = f"select {owner}, date_part(epoch_millisecond, occurred_at) from RAW.{EVENTS.name}"
        return _rows(self.store.query(f"{query} where not {cut.of_events()}"), CLICK_COLUMNS)

    def days(self) -> pl.DataFrame:
        """Orders and revenue per day and status, summed by Snowflake over the published orders."""
        return _rows(
            self.store.query(
                "select datediff(day, '1970-01-01'::date, created_at::date) as day, status, count(*) as orders, "
                "sum(total_amount * 100)::number(38, 0) as cents from STAGING.orders_enhanced group by 1, 2"
            ),
            DAYS,
        )

    def revenue(self) -> pl.DataFrame:
        """Orders and revenue per day as the published mart tells them."""
        return _rows(
            self.store.query(
                "select datediff(day, '1970-01-01'::date, date) as day, total_orders as orders, "
                "(total_revenue * 100)::number(38, 0) as cents from MARTS.daily_business_metrics"
            ),
            REVENUE,
        )


@dataclass(frozen=True)
class SourceExtract:
    """Reads PostgreSQL through a reader that stands at the fence's snapshot."""

    reader: Reader

    def rows(self, table: Dataset) -> pl.DataFrame:
        """The table as PostgreSQL had it at the fence, one row per key, without the columns that it may lack and lacks."""
        there = self._there(table)
        rows = self.reader.query(f"select {canonical.select_list(there, canonical.postgres)} from {table.name}")
        return _rows(rows, there)

    def _there(self, table: Dataset) -> tuple[Column, ...]:
        if not any(column.may_be_absent for column in table.columns):
            return table.columns
        of_table = f"attrelid = '{table.name}'::regclass and attnum > 0 and not attisdropped"
        names = {name for (name,) in self.reader.query(f"select attname from pg_attribute where {of_table}")}
        return tuple(column for column in table.columns if column.name in names or not column.may_be_absent)

    def days(self) -> pl.DataFrame:
        """Orders and revenue per day and status, summed by PostgreSQL."""
        rows = self.reader.query(
            "select (created_at at time zone 'UTC')::date - date '1970-01-01', status, count(*), "
            "(sum(total_amount) * 100)::bigint from orders group by 1, 2"
        )
        return _rows(rows, DAYS)


DAYS = (
    Column("day", BigInt()),
    ORDERS["status"],
    Column("orders", BigInt()),
    Column("cents", BigInt()),
)
REVENUE = (DAYS[0], DAYS[2], DAYS[3])

RECONCILED = tuple(TABLES.values())

"""The audit trail in the warehouse: added to once, whatever is sent twice."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from concord.contracts.audit import Action, Ending
from concord.dialects.snowflake import create_audit
from concord.gateways.snowflake import Snowflake
from concord.governance.entry import Entry
from concord.governance.spool import Spool
from concord.governance.trail import BATCH_RUN, deliver, entries, newest_batch

pytestmark = pytest.mark.conformance

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
READ = Entry(
    "a",
    NOON,
    Action.READ,
    "sql",
    "ada@desk",
    "reader",
    "speed",
    read_at={"t": {"0": 7}},
    statement_sha256="0" * 64,
    rows_out=3,
)
BATCH = Entry(
    "b",
    NOON + timedelta(minutes=1),
    Action.RUN,
    BATCH_RUN,
    "ada@desk",
    batch_id="000001-x",
    rows_in=10,
    rows_out=9,
    rows_rejected=1,
    seconds=Decimal("12.345"),
)
FAILED = Entry(
    "c",
    NOON + timedelta(minutes=2),
    Action.RUN,
    BATCH_RUN,
    "ada's@desk",
    rows_in=5,
    ending=Ending.FAILED,
    error="Unavailable",
)


@pytest.fixture(autouse=True)
def trail(warehouse: Snowflake) -> None:
    warehouse.execute("drop schema if exists AUDIT cascade")
    for statement in create_audit():
        warehouse.execute(statement)


def test_entries_come_back_as_they_were_newest_first(warehouse: Snowflake, tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.add([READ, BATCH, FAILED])
    assert deliver(spool, warehouse) == 3
    assert entries(warehouse, None, 10) == [FAILED, BATCH, READ]
    assert entries(warehouse, BATCH.begun_at, 10) == [FAILED, BATCH]
    assert entries(warehouse, None, 1) == [FAILED]


def test_what_is_delivered_twice_is_kept_once(warehouse: Snowflake, tmp_path: Path) -> None:
    for more in ([READ], [READ, BATCH]):
        Spool(tmp_path).add(more)
        deliver(Spool(tmp_path), warehouse)
    assert entries(warehouse, None, 10) == [BATCH, READ]


def test_the_newest_batch_is_one_that_loaded_something_and_ended(warehouse: Snowflake, tmp_path: Path) -> None:
    assert newest_batch(warehouse) is None
    Spool(tmp_path).add([READ, BATCH, FAILED])
    deliver(Spool(tmp_path), warehouse)
    assert newest_batch(warehouse) == BATCH

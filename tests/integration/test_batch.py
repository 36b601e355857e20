"""``concord batch`` on the running stack: from a row of the shop to what readers of the warehouse see."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

import pytest

from concord.batch.publish import PUBLISHED, publications, unpublished
from concord.contracts.derived import LOAD_AUDIT
from concord.contracts.lake_metrics import JOB_RUNS, LAKE_METRICS
from concord.contracts.marts import MARTS
from concord.contracts.tables import ORDERS
from concord.dialects.snowflake import RAW_DATASETS
from concord.errors import ExitCode
from concord.gateways.lake import Lake
from concord.gateways.postgres import Postgres
from concord.gateways.snowflake import Snowflake
from concord.settings import PROJECT, child_environment
from tests.landed import landed_changes
from tests.metrics_lake import MART_OF
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1200)]

LAKE_SECONDS = 180
BATCH_SECONDS = 600


def new_order(postgres: Postgres, status: str = "pending") -> int:
    """An order over 12.50 by a guest; its id."""
    insert = "insert into orders (external_id, status, total_amount) values (%s, %s, 12.50) returning id"
    return int(postgres.query(insert, (f"test-{uuid4().hex}", status))[0][0])


def changes_in_lake(lake: Lake, order_id: int) -> int:
    return len(landed_changes(lake, ORDERS, order_id))


def await_lake(lake: Lake, order_id: int, changes: int = 1) -> None:
    eventually(lambda: changes_in_lake(lake, order_id) >= changes, LAKE_SECONDS, every=1)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "concord", "batch", *arguments]


def batch(*arguments: str) -> Any:
    done = subprocess.run(
        command(*arguments, "--json"),
        cwd=PROJECT,
        env=child_environment(),
        capture_output=True,
        text=True,
        timeout=BATCH_SECONDS,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def shown(snowflake: Snowflake, order_id: int) -> list[str]:
    """The order's status as readers see it; nothing if they do not see it."""
    rows = snowflake.query("select status from STAGING.orders_enhanced where id = %s", (order_id,))
    return [row[0] for row in rows]


def published_rows(snowflake: Snowflake) -> dict[str, list[str]]:
    """Every row that a batch brings, or says about itself. A batch run again may read at a newer snapshot."""
    audit = ", ".join(name for name in LOAD_AUDIT.names if name != "snapshot_id")
    columns = {f"RAW.{LOAD_AUDIT.name}": audit}
    names = [*(f"RAW.{d.name}" for d in RAW_DATASETS), *(f"{schema}.{d.name}" for schema, d in PUBLISHED)]
    return {name: sorted(map(repr, snowflake.query(f"select {columns.get(name, '*')} from {name}"))) for name in names}


def test_order_and_its_change_reach_the_readers_batch_by_batch(
    postgres: Postgres, lake: Lake, snowflake: Snowflake
) -> None:
    order_id = new_order(postgres)
    await_lake(lake, order_id)
    first = batch("run")
    assert first["published"]["batch_id"] == first["batch_id"]
    assert shown(snowflake, order_id) == ["pending"]

    postgres.execute("update orders set status = 'cancelled', updated_at = now() where id = %s", (order_id,))
    await_lake(lake, order_id, changes=2)
    second = batch("run")
    assert second["batch_id"] > first["batch_id"]
    assert second["tables"]["orders"]["rows_read"] == second["tables"]["orders"]["rows_inserted"]
    assert shown(snowflake, order_id) == ["cancelled"]
    assert second["mirrors"]["orders"] == {"changed_keys": second["tables"]["orders"]["rows_read"], "rebuilt": False}
    mirrored = lake.scan(ORDERS.name, ("status", "__op", "date"), f"id = {order_id}").to_pylist()
    assert [(row["status"], row["__op"]) for row in mirrored] == [("cancelled", "u")]

    before = published_rows(snowflake)
    snowflake.execute("delete from RAW.load_audit where batch_id = %s", (first["batch_id"],))
    again = batch("run", "--again", first["batch_id"])
    assert {table["rows_inserted"] for table in again["tables"].values()} == {0}
    assert published_rows(snowflake) == before

    listed = {entry["batch_id"]: entry["state"] for entry in batch("list")}
    assert listed[first["batch_id"]] == listed[second["batch_id"]] == "published"


KILLED_BEHIND = ("start Spark", "load orders", "merge into RAW")
"""Then it reads the lake for the connector, merges what the connector has brought, or builds and tests the models."""


def kill_behind(step: str) -> None:
    """Start a batch, and kill it once this step is done."""
    with subprocess.Popen(
        command("run"),
        cwd=PROJECT,
        env=child_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout
        assert any(f"done {step} " in line for line in process.stdout), f"the batch ended before {step}"
        process.send_signal(signal.SIGKILL)


def what_readers_see(snowflake: Snowflake) -> dict[str, list[str]]:
    """Every published row."""
    names = [f"{schema}.{dataset.name}" for schema, dataset in PUBLISHED]
    return {name: sorted(map(repr, snowflake.query(f"select * from {name}"))) for name in names}


def test_batch_killed_anywhere_before_it_is_published_is_not_seen_and_the_next_one_repairs(
    postgres: Postgres, lake: Lake, snowflake: Snowflake
) -> None:
    order_id = new_order(postgres)
    await_lake(lake, order_id)
    before, seen = publications(snowflake), what_readers_see(snowflake)
    for step in KILLED_BEHIND:
        kill_behind(step)
        assert publications(snowflake) == before
        assert what_readers_see(snowflake) == seen
    assert unpublished(snowflake)

    repaired = batch("run")
    assert shown(snowflake, order_id) == ["pending"]
    assert publications(snowflake)[-1].batch_id == repaired["batch_id"]
    assert repaired["tables"]["orders"]["rows_read"] > 0


def test_metrics_that_spark_computes_are_those_that_dbt_publishes(lake: Lake, snowflake: Snowflake) -> None:
    if not publications(snowflake):
        batch("run")
    told = batch("metrics")
    assert {row["state"] for row in told["tables"].values()} == {"ended"}
    for name, mart_name in MART_OF.items():
        mart = MARTS[mart_name]
        columns = [column for column in LAKE_METRICS[name].names if column in mart.names]
        published = snowflake.query(f"select {', '.join(columns)} from MARTS.{mart.name}")
        found = [tuple(row.values()) for row in lake.scan(name, columns).select(columns).to_pylist()]
        assert sorted(found, key=by_key(columns, mart.key)) == sorted(published, key=by_key(columns, mart.key))
    runs = lake.scan(JOB_RUNS.name, ("job", "state"), f"run_id = '{told['run_id']}'").to_pylist()
    assert {(run["job"], run["state"]) for run in runs} == {(name, "ended") for name in LAKE_METRICS}


def test_second_batch_at_the_same_time_is_refused(postgres: Postgres, lake: Lake) -> None:
    await_lake(lake, new_order(postgres))
    with subprocess.Popen(
        command("run"), cwd=PROJECT, env=child_environment(), stdout=subprocess.PIPE, text=True
    ) as first:
        assert first.stdout
        assert "pin the lake" in first.stdout.readline()
        second = subprocess.run(
            command("run"), cwd=PROJECT, env=child_environment(), capture_output=True, text=True, timeout=BATCH_SECONDS
        )
        assert second.returncode == ExitCode.UNAVAILABLE
        assert f"process {first.pid}" in " ".join(second.stderr.split())
        first.kill()


def by_key(columns: Sequence[str], key: Sequence[str]) -> Callable[[Sequence[Any]], str]:
    places = [columns.index(name) for name in key]
    return lambda row: repr([str(row[place]) for place in places])

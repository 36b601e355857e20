"""``concord batch`` on the running stack: from a row of the shop to what readers of the warehouse see."""

import json
import signal
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import pytest

from concord.batch.publish import PUBLISHED, publications, unpublished
from concord.chaos import in_flight
from concord.contracts.derived import LOAD_AUDIT
from concord.contracts.lake_metrics import JOB_RUNS, LAKE_METRICS
from concord.contracts.marts import MARTS
from concord.contracts.model import Column
from concord.contracts.names import cdc_topic
from concord.contracts.tables import ORDER_ITEMS, ORDERS, PRODUCTS, as_landed
from concord.contracts.types import TEXT
from concord.dialects.snowflake import RAW_DATASETS
from concord.errors import ExitCode
from concord.gateways.kafka import Kafka
from concord.gateways.lake import Lake
from concord.gateways.postgres import Postgres
from concord.gateways.snowflake import Snowflake
from concord.landed.rows import change_rows
from concord.rules.violations import BAD_CHANGE_RECORD
from concord.settings import PROJECT, Settings, child_environment
from concord.standins.snowflake import history
from tests import altered_products, faulty_file
from tests.commands import PATIENCE_SECONDS, answer, command
from tests.landed import landed_changes
from tests.metrics_lake import MART_OF
from tests.waiting import eventually
from tests.warehouse_list import assert_listed
from tests.warehouse_record import Record
from tests.warehouse_rights import lacking

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1200)]

LAKE_SECONDS = 180
COLOUR = Column("colour", TEXT, nullable=True, may_be_absent=True)


def new_order(postgres: Postgres, status: str = "pending") -> int:
    """An order over 12.50 by a guest; its id."""
    insert = "insert into orders (external_id, status, total_amount) values (%s, %s, 12.50) returning id"
    return int(postgres.query(insert, (f"test-{uuid4().hex}", status))[0][0])


def changes_in_lake(lake: Lake, order_id: int) -> int:
    return len(landed_changes(lake, ORDERS, order_id))


def await_lake(lake: Lake, order_id: int, changes: int = 1) -> None:
    eventually(lambda: changes_in_lake(lake, order_id) >= changes, LAKE_SECONDS, every=1)


def batch(*arguments: str) -> Any:
    return answer("batch", *arguments)


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


@dataclass(frozen=True)
class First:
    """A batch, what it said of itself, and what it brought: one order, and a file with known faults."""

    order: int
    lines: dict[int, str]
    orders: dict[int, str]
    outcome: dict[str, Any]

    @property
    def batch_id(self) -> str:
        return str(self.outcome["batch_id"])


@pytest.fixture(scope="module")
def first(record: Record, tmp_path_factory: pytest.TempPathFactory, postgres: Postgres, lake: Lake) -> First:
    answer("load", "online-retail", str(faulty_file.written(tmp_path_factory.mktemp("retail"))), "--no-clickstream")
    lines, orders = faulty_file.lines(postgres), faulty_file.orders(postgres)
    order_id = new_order(postgres)
    eventually(lambda: landed_changes(lake, ORDER_ITEMS, max(lines)), LAKE_SECONDS, every=1)
    await_lake(lake, order_id)
    return First(order_id, lines, orders, batch("run"))


@pytest.fixture(scope="module")
def altered(first: First, postgres: Postgres, kafka: Kafka, lake: Lake) -> int:
    """After the first batch its order is changed, and a product while its table is altered; the product's id."""
    postgres.execute("update orders set status = 'cancelled', updated_at = now() where id = %s", (first.order,))
    product = altered_products.life_of_a_product(postgres, kafka)
    await_lake(lake, first.order, changes=2)
    eventually(lambda: len(altered_products.landed(lake, product)) == altered_products.RECORDS, LAKE_SECONDS, every=1)
    return product


@pytest.fixture(scope="module")
def second(altered: int) -> dict[str, Any]:
    """What the batch after that said of itself."""
    outcome: dict[str, Any] = batch("run")
    return outcome


def test_order_reaches_the_readers(first: First, snowflake: Snowflake) -> None:
    assert first.outcome["published"]["batch_id"] == first.batch_id
    assert shown(snowflake, first.order) == ["pending"]


def test_known_faults_of_a_file_are_found_at_every_layer_once(
    tmp_path: Path, first: First, snowflake: Snowflake
) -> None:
    batch_id = first.batch_id
    page = tmp_path / "report.html"
    report = answer("quality", "report", "--html", str(page))
    assert (report["batch_id"], report["layers"], report["failed"]) == (batch_id, ["lake", "RAW", "STAGING"], [])
    assert report["disagreeing"] == []
    assert "order_items.quantity.above_zero" in page.read_text()

    kept = violations(snowflake, batch_id)
    for rule, invoices in faulty_file.FAULTS.items():
        invoice_of = first.lines if rule.startswith("order_items") else first.orders
        for layer in ("lake", "RAW", *(["STAGING"] if "external_id" not in rule else [])):
            found = {invoice_of.get(int(key)) for key in kept[rule, layer]} - {None}
            assert found == invoices, (rule, layer)

    answer("quality", "check", "--batch-id", batch_id)
    assert violations(snowflake, batch_id) == kept
    flagged = "select rules from QUALITY.flagged_rows where batch_id = %s and layer = 'RAW' and dataset = 'orders' and row_key = %s"
    adjustment = next(str(key) for key, invoice in first.orders.items() if invoice == "A970001")
    assert snowflake.query(flagged, (batch_id, adjustment)) == [
        ("orders.external_id.no_adjustment, orders.user_id.filled",)
    ]


def violations(snowflake: Snowflake, batch_id: str) -> dict[tuple[str, str], list[str]]:
    """Keys by rule and layer, in order; a key that were there twice would be twice."""
    kept: dict[tuple[str, str], list[str]] = {}
    for rule, layer, key in snowflake.query(
        "select rule, layer, row_key from QUALITY.violations where batch_id = %s order by rule, layer, row_key",
        (batch_id,),
    ):
        kept.setdefault((rule, layer), []).append(key)
    return kept


def begun(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(*arguments),
        cwd=PROJECT,
        env=child_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(*arguments: str) -> subprocess.CompletedProcess[str]:
    with begun(*arguments) as process:
        said, told = process.communicate(timeout=PATIENCE_SECONDS)
    return subprocess.CompletedProcess(process.args, process.returncode, said, told)


def kill_between_put_and_copy(settings: Settings) -> None:
    """The driver and all below it die when the first file is handed to the warehouse's stage."""
    log = settings.home / "snowflake" / "data" / history.FILE
    size = log.stat().st_size

    def sent() -> set[str]:
        with log.open() as lines:
            lines.seek(size)
            return {line.split(",")[1] for line in lines}

    with begun("batch", "run") as process:
        eventually(lambda: "PUT" in sent(), LAKE_SECONDS, every=0.005)
        in_flight.killed(in_flight.frozen(process.pid))
    assert "COPY" not in sent()


def kill_behind_a_loaded_table(_: Settings) -> None:
    """The driver dies once the connector has brought some of the tables, and nothing is merged."""
    with begun("batch", "run") as process:
        assert process.stdout
        assert any("done load orders " in line for line in process.stdout), "the batch ended before"
        process.send_signal(signal.SIGKILL)


def kill_dbt_behind_its_first_model(settings: Settings) -> None:
    """RAW is merged, and dbt dies with some models at the new position. The batch says so and ends."""
    output = settings.home / "batch" / "dbt" / "output.log"
    output.unlink(missing_ok=True)
    with begun("batch", "run") as process:
        eventually(lambda: "OK created" in output.read_text(), LAKE_SECONDS, every=0.05)
        (dbt,) = (
            child
            for child in psutil.Process(process.pid).children(recursive=True)
            if "concord.batch.dbt_process" in child.cmdline()
        )
        dbt.kill()
        _, told = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == ExitCode.UNAVAILABLE
    assert "dbt broke off (exit -9)" in " ".join(told.split())


KILLS = (kill_between_put_and_copy, kill_behind_a_loaded_table, kill_dbt_behind_its_first_model)


def what_readers_see(snowflake: Snowflake) -> dict[str, list[str]]:
    """Every published row."""
    names = [f"{schema}.{dataset.name}" for schema, dataset in PUBLISHED]
    return {name: sorted(map(repr, snowflake.query(f"select * from {name}"))) for name in names}


def test_batch_killed_anywhere_before_it_is_published_is_not_seen(
    settings: Settings, altered: int, snowflake: Snowflake
) -> None:
    before, seen = publications(snowflake), what_readers_see(snowflake)
    for kill in KILLS:
        kill(settings)
        assert publications(snowflake) == before
        assert what_readers_see(snowflake) == seen
    assert unpublished(snowflake)


def test_the_next_batch_repairs_it_and_brings_the_change(
    first: First, second: dict[str, Any], lake: Lake, snowflake: Snowflake
) -> None:
    assert second["batch_id"] > first.batch_id
    assert second["tables"]["orders"]["rows_read"] > 0
    assert publications(snowflake)[-1].batch_id == second["batch_id"]
    assert shown(snowflake, first.order) == ["cancelled"]
    mirrored = lake.scan(ORDERS.name, ("status", "__op", "date"), f"id = {first.order}").to_pylist()
    assert [(row["status"], row["__op"]) for row in mirrored] == [("cancelled", "u")]
    listed = {entry["batch_id"]: entry["state"] for entry in batch("list")}
    assert listed[first.batch_id] == listed[second["batch_id"]] == "published"


def test_a_table_is_altered_while_it_flows_and_every_record_is_a_row_or_a_dead_letter(
    altered: int, second: dict[str, Any], lake: Lake, snowflake: Snowflake
) -> None:
    key, records = altered, altered_products.landed(lake, altered)
    offsets = [record["_offset"] for record in records]
    rows = snowflake.query("select _offset, stock_quantity from RAW.products where id = %s order by 1", (key,))
    assert rows == list(zip([*offsets[:3], offsets[4], *offsets[6:]], (3, 3, 4, 5, 6, 7), strict=True))
    letters = snowflake.query(
        "select _offset, reason, pointer, detail from RAW.dead_letters where _topic = %s and _partition = %s "
        "and _offset between %s and %s order by 1",
        (cdc_topic(PRODUCTS), records[0]["_kafka_partition"], offsets[0], offsets[-1]),
    )
    assert letters == [
        (offsets[3], BAD_CHANGE_RECORD, "/stock_quantity", "is not an integer of 32 bits"),
        (offsets[5], BAD_CHANGE_RECORD, "/description", "is missing"),
    ]
    assert {(one["table"], one["pointer"]) for one in second["set_aside"]} >= {
        ("products", "/stock_quantity"),
        ("products", "/description"),
    }
    assert lake.scan("products", ("stock_quantity",), f"id = {key}").to_pylist() == [{"stock_quantity": 7}]
    assert snowflake.query("select stock_quantity from STAGING.products_enhanced where id = %s", (key,)) == [(7,)]

    declared = PRODUCTS.extended(PRODUCTS.name, COLOUR)
    history = change_rows(declared, lake.scan(as_landed(PRODUCTS).name)).to_pylist()
    colours = {row["_offset"]: row["colour"] for row in history if row["id"] == key}
    assert [colours[offset] for offset in sorted(colours)] == [None, "red", "red", "red", "red", None]


def test_what_is_set_aside_is_in_both_books(second: dict[str, Any], lake: Lake, snowflake: Snowflake) -> None:
    """Of a batch that was killed and run once more, RAW had the rows already."""
    dead = sum(one["records"] for one in second["set_aside"] if one["table"] == "products")
    rows, inserted = (second["tables"]["products"][name] for name in ("rows_read", "rows_inserted"))
    assert dead >= 2
    step = f"batch_id = '{second['batch_id']}' and job = 'load products'"
    booked = lake.scan(JOB_RUNS.name, ("rows_in", "rows_out", "rows_rejected"), step).to_pylist()
    assert {tuple(run.values()) for run in booked} == {(rows + dead, rows, dead)}
    trail = "select rows_in, rows_out, rows_rejected from AUDIT.trail where batch_id = %s and what = %s"
    assert snowflake.query(trail, (second["batch_id"], "batch run: load products")) == [(rows + dead, inserted, dead)]
    ((of_all,),) = snowflake.query(
        "select rows_rejected from AUDIT.trail where batch_id = %s and what = %s", (second["batch_id"], "batch run")
    )
    assert of_all == sum(one["records"] for one in second["set_aside"]) + (second["events"] or {"dead": 0})["dead"]


def test_a_published_row_that_a_full_build_does_not_make_is_named(
    first: First, second: dict[str, Any], snowflake: Snowflake
) -> None:
    change = "update STAGING.orders_enhanced set status = %s where id = %s"
    snowflake.execute(change, ("shipped", first.order))
    try:
        done = ended("batch", "verify", "--json")
    finally:
        snowflake.execute(change, ("cancelled", first.order))
    assert done.returncode == ExitCode.DISAGREEMENT, done.stderr
    assert "are not those of a full build: STAGING.orders_enhanced" in " ".join(done.stderr.split())
    differing = {one["table"]: one["keys"] for one in json.loads(done.stdout) if not one["is_equal"]}
    assert differing == {"STAGING.orders_enhanced": [[first.order]]}


def test_models_and_columns_are_documented_as_one_page(tmp_path: Path, second: dict[str, Any]) -> None:
    page = tmp_path / "docs.html"
    done = ended("batch", "docs", "--to", str(page))
    assert done.returncode == ExitCode.OK, done.stderr
    text, mart = page.read_text(), MARTS["daily_business_metrics"]
    assert all(f"mart_{name}" in text for name in MARTS)
    assert all(column.description in text for column in mart.columns)


def test_a_batch_that_is_run_again_changes_nothing(first: First, second: dict[str, Any], snowflake: Snowflake) -> None:
    before = published_rows(snowflake)
    snowflake.execute("delete from RAW.load_audit where batch_id = %s", (first.batch_id,))
    again = batch("run", "--again", first.batch_id)
    assert {table["rows_inserted"] for table in again["tables"].values()} == {0}
    assert published_rows(snowflake) == before


def test_metrics_that_spark_computes_are_those_that_dbt_publishes(
    second: dict[str, Any], lake: Lake, snowflake: Snowflake
) -> None:
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
        command("batch", "run"), cwd=PROJECT, env=child_environment(), stdout=subprocess.PIPE, text=True
    ) as first:
        assert first.stdout
        assert "pin the lake" in first.stdout.readline()
        second = subprocess.run(
            command("batch", "run"),
            cwd=PROJECT,
            env=child_environment(),
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
        )
        assert second.returncode == ExitCode.UNAVAILABLE
        assert f"process {first.pid}" in " ".join(second.stderr.split())
        first.kill()


def test_every_statement_is_granted_to_the_role_that_sends_it(second: dict[str, Any], record: Record) -> None:
    assert lacking(record.all()) == {}


def test_every_statement_is_in_the_list(second: dict[str, Any], record: Record) -> None:
    assert_listed(record.since())


def by_key(columns: Sequence[str], key: Sequence[str]) -> Callable[[Sequence[Any]], str]:
    places = [columns.index(name) for name in key]
    return lambda row: repr([str(row[place]) for place in places])

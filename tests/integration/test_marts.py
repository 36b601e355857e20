"""Staging and marts, batch by batch over a shop's life: equal to a plain computation to the cent, and no more rebuilt
than changed. A warehouse of its own, filled from the history; no Kafka and no Spark."""

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from concord.batch.build import Dbt, judge, variables
from concord.batch.extent import Extent, State, builds
from concord.batch.models import PUBLISHED, bring_up
from concord.batch.publish import publications
from concord.contracts.behaviour import TIERS
from concord.contracts.derived import ORDERS_ENHANCED, USERS_ENHANCED
from concord.contracts.expectations import QUALITY, QUALITY_SCHEMA, Layer
from concord.contracts.marts import MARTS
from concord.contracts.tables import ORDER_ITEMS, ORDERS, PRODUCTS, USERS, OrderStatus
from concord.contracts.types import Decimal as Exact
from concord.dialects.snowflake import TABLES_BY_SCHEMA
from concord.errors import ContractViolation, Misconfigured
from concord.evolution.migrate import migrate_snowflake
from concord.quality.failures import failing, failures
from concord.quality.keep import check
from concord.quality.stores import WarehouseStore
from concord.trace.parts import PARTS, keys_of
from tests import models_in_duckdb
from tests.bi_questions import QUESTIONS
from tests.factories import EPOCH
from tests.marts_oracle import Oracle
from tests.models_in_duckdb import change_files
from tests.older_contract import older, put_back
from tests.shop_history import CATEGORIES, ShopHistory
from tests.visits_oracle import VisitsOracle
from tests.warehouse_copy import WarehouseCopy, warehouse_copy

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

SEEDS = [int(seed) for seed in os.environ.get("CONCORD_TEST_SEEDS", "1").split(",")]
"""One life is enough for every day; ``CONCORD_TEST_SEEDS=1,2,3`` lives more of them."""


@pytest.fixture(scope="module", params=SEEDS)
def history(request: pytest.FixtureRequest) -> ShopHistory:
    return ShopHistory(request.param).live(days=45, changes=8)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory, history: ShopHistory) -> Iterator[WarehouseCopy]:
    """The history up to now, published."""
    with warehouse_copy(tmp_path_factory.mktemp("marts")) as its:
        its.batch(history)
        yield its


def assert_right(copy: WarehouseCopy, history: ShopHistory) -> None:
    shop = Oracle(history, history.as_of())
    expected = {**shop.expected(), **VisitsOracle(shop).expected()}
    found = {name: [row[:-1] for row in rows] for name, rows in copy.published().items()}
    for name, rows in expected.items():
        assert found[name] == rows, name


def rebuilt(before: dict[str, Any], after: dict[str, Any]) -> dict[str, list[tuple[Any, ...]]]:
    """Keys of the rows that came, went, or bear another stamp, per published table."""
    changed = {}
    for _, dataset in PUBLISHED:
        width = len(dataset.key)
        positions = [dataset.names.index(name) for name in dataset.key]
        rows = {*before[dataset.name]} ^ {*after[dataset.name]}
        changed[dataset.name] = sorted({tuple(row[at] for at in positions) for row in rows})
        assert all(len(key) == width for key in changed[dataset.name])
    return changed


def test_full_build_equals_a_plain_computation(copy: WarehouseCopy, history: ShopHistory) -> None:
    assert_right(copy, history)


def test_models_translated_to_duckdb_hold_the_same_rows(
    copy: WarehouseCopy, history: ShopHistory, tmp_path: Path
) -> None:
    manifest = json.loads((copy.dbt.folder / "target" / "manifest.json").read_text())
    found = models_in_duckdb.published(manifest, change_files(history, tmp_path), tmp_path / "models.duckdb")
    for name, rows in copy.published().items():
        assert found[name] == [row[:-1] for row in rows], name


def test_marts_rows_that_a_row_of_the_shop_is_part_of_are_found(copy: WarehouseCopy, history: ShopHistory) -> None:
    lines = history.rows["order_items"].values()
    line, order = next((line, history.rows["orders"][line["order_id"]]) for line in lines if is_a_sale(history, line))
    day = order["created_at"].date()
    ids = {"users": order["user_id"], "products": line["product_id"], "orders": order["id"], "order_items": line["id"]}
    found = {
        (mart, table): copy.client.query(keys_of(MARTS[mart], part), {"key": ids[table]})
        for mart, parts in PARTS.items()
        for table, part in parts.items()
    }
    for table in ids:
        assert (day,) in found["daily_business_metrics", table]
        assert (day, line["product_id"]) in found["product_performance", table]
    assert found["daily_business_metrics", "orders"] == [(day,)]
    assert found["product_performance", "order_items"] == [(day, line["product_id"])]
    assert found["customer_analytics", "order_items"] == [(order["user_id"],)]
    assert found["monthly_kpis", "orders"] == [(day.replace(day=1),)]
    assert [month for _, month in found["monthly_cohorts", "orders"]] == [day.replace(day=1)]
    assert {tier for _, tier in found["customer_tier_analytics", "orders"]} == {*TIERS}
    assert [place for _, place in found["product_recommendations", "products"]] == [1, 2, 3, 4, 5]
    assert (order["user_id"], 1) in found["user_history", "users"]
    assert (line["product_id"], 1) in found["product_history", "products"]


def is_a_sale(history: ShopHistory, line: dict[str, Any]) -> bool:
    order = history.rows["orders"][line["order_id"]]
    return order["user_id"] in history.rows["users"] and order["status"] != OrderStatus.CANCELLED


@pytest.mark.parametrize("question", QUESTIONS)
def test_business_question_is_answered_right(copy: WarehouseCopy, history: ShopHistory, question: str) -> None:
    asked = QUESTIONS[question]
    answer = copy.client.query(asked.sql)
    assert answer == asked.expected(VisitsOracle(Oracle(history, history.as_of())))
    assert answer


def test_rows_that_fail_a_test_are_kept(copy: WarehouseCopy, history: ShopHistory) -> None:
    counted = {one.test: one.rows for one in failures(copy.client)}
    returned = [line for line in history.rows["order_items"].values() if line["quantity"] <= 0]
    negative = [order for order in history.rows["orders"].values() if order["total_amount"] < 0]
    assert counted["business_rules"] == len(returned) + len(negative) > 0
    assert counted["every_event_is_in_one_session"] == 0
    columns, rows = failing(copy.client, "business_rules", limit=1)
    assert columns == ["RULE", "MODEL", "ID"]
    assert len(rows) == 1
    with pytest.raises(Misconfigured, match="no test of that name"):
        failing(copy.client, "orders; drop schema RAW", limit=1)


@pytest.mark.parametrize("layer", [Layer.RAW, Layer.STAGING])
def test_a_batch_checked_again_has_the_violations_that_it_had(copy: WarehouseCopy, layer: Layer) -> None:
    batch = publications(copy.client)[-1]

    with replace(copy.client, schema=QUALITY_SCHEMA) as client:
        found = []
        for _ in range(2):
            check(WarehouseStore(client, layer), client, batch, EPOCH)
            found.append([copy.rows(QUALITY_SCHEMA, dataset) for dataset in QUALITY.values()])
    assert all(found[0])
    assert found[0] == found[1]


def test_sources_say_how_fresh_they_are(copy: WarehouseCopy) -> None:
    """Everything was loaded years ago."""
    found = {source.source: source for source in copy.dbt.freshness()}
    stale = dict.fromkeys(("RAW.orders", "RAW.order_items", "RAW.events"), "error")
    assert {name: source.state for name, source in found.items()} == {
        "RAW.users": "warn",
        "RAW.products": "warn",
        **stale,
    }
    assert {source.loaded_at for source in found.values()} == {EPOCH}


def test_late_order_rebuilds_its_day_and_the_declared_closure(copy: WarehouseCopy, history: ShopHistory) -> None:
    day = history.day - timedelta(days=40)
    first = next(orders[0] for orders in orders_by_customer(history).values() if orders[0]["created_at"].date() > day)
    before = copy.published()
    late = history.new_order(days_ago=40, lines=2, user_id=first["user_id"])
    copy.batch(history)
    assert_right(copy, history)
    assert not builds(copy.client)[-1].is_full
    changed = rebuilt(before, copy.published())
    assert changed["daily_business_metrics"] == [(day,)]
    assert changed["orders_enhanced"] == [(first["id"],), (late["id"],)], (
        "of the customer's others, the one it precedes"
    )
    assert len(changed["order_items_enhanced"]) == 2
    assert min(changed["customer_tier_analytics"], default=(day,))[0] >= day
    assert min(changed["product_performance"])[0] == day


def orders_by_customer(history: ShopHistory) -> dict[int, list[dict[str, Any]]]:
    """Each customer's orders, the first one first."""
    orders = sorted(history.rows["orders"].values(), key=lambda order: (order["created_at"], order["id"]))
    found: dict[int, list[dict[str, Any]]] = {}
    for order in orders:
        if order["user_id"] in history.rows["users"]:
            found.setdefault(order["user_id"], []).append(order)
    return found


def test_late_event_rebuilds_its_owners_sessions_around_it_and_their_days(
    copy: WarehouseCopy, history: ShopHistory
) -> None:
    before, told = copy.published(), VisitsOracle(Oracle(history, history.as_of())).sessions
    joined = next(row for row in history.visits.rows if row["anonymous_id"] == "kiosk")
    late = {**joined, "event_id": str(uuid.UUID(int=7)), "occurred_at": joined["occurred_at"] + timedelta(minutes=30)}
    history.visits.come(late, days_late=40)
    copy.batch(history)
    assert_right(copy, history)
    again = VisitsOracle(Oracle(history, history.as_of())).sessions
    differing = {id for id in {*told, *again} if told.get(id) != again.get(id)}
    days = {each[id]["started_at"].date() for each in (told, again) for id in differing & each.keys()}
    changed = rebuilt(before, copy.published())
    assert {id for (id,) in changed["sessions"]} == differing
    assert {day for day, *_ in (*changed["funnel"], *changed["category_funnel"])} <= days
    assert changed["users_enhanced"] == changed["daily_business_metrics"] == []
    assert dirty_owners(copy) == [("kiosk",)]


def dirty_owners(copy: WarehouseCopy) -> list[tuple[Any, ...]]:
    """Whose events the last build made sessions of."""
    return copy.client.query(
        "select distinct owner from STAGING_SHADOW.stg_events "
        "where event_id in (select event_id from STAGING_SHADOW.dirty_session_events)"
    )


def test_status_change_of_an_old_order_leaves_tiers_and_products_alone(
    copy: WarehouseCopy, history: ShopHistory
) -> None:
    old = next(order for order in history.rows["orders"].values() if order["status"] == OrderStatus.PENDING)
    before = copy.published()
    history.update(ORDERS, old, status=OrderStatus.SHIPPED, updated_at=history.moment())
    copy.batch(history)
    assert_right(copy, history)
    changed = {name: keys for name, keys in rebuilt(before, copy.published()).items() if keys}
    assert changed == {
        "orders_enhanced": [(old["id"],)],
        "daily_business_metrics": [(old["created_at"].date(),)],
        "monthly_kpis": [(old["created_at"].date().replace(day=1),)],
    }


def test_deleted_first_order_leaves_its_day_and_the_next_one_is_the_first(
    copy: WarehouseCopy, history: ShopHistory
) -> None:
    first, second, *others = max(orders_by_customer(history).values(), key=len)
    assert others
    before = copy.published()
    for line in [line for line in history.rows["order_items"].values() if line["order_id"] == first["id"]]:
        history.delete(ORDER_ITEMS, line["id"])
    history.delete(ORDERS, first["id"])
    copy.batch(history)
    assert_right(copy, history)
    changed = rebuilt(before, copy.published())
    assert changed["daily_business_metrics"] == [(first["created_at"].date(),)]
    assert changed["orders_enhanced"] == sorted([(first["id"],), (second["id"],)])


def test_moved_order_new_registration_day_and_new_category_rebuild_what_is_and_was_theirs(
    copy: WarehouseCopy, history: ShopHistory
) -> None:
    rows = {table.name: dict(history.rows[table.name]) for table in (USERS, PRODUCTS, ORDERS, ORDER_ITEMS)}
    of_customers = [order for order in rows["orders"].values() if order["user_id"] in rows["users"]]
    moved = next(order for order in of_customers if order["created_at"].date() != history.day - timedelta(days=20))
    registering = next(
        order
        for order in of_customers
        if order["user_id"] != moved["user_id"]
        and order["created_at"].date() != rows["users"][order["user_id"]]["created_at"].date()
    )
    user = rows["users"][registering["user_id"]]
    sold = next(line["product_id"] for line in rows["order_items"].values() if is_a_sale(history, line))
    product = rows["products"][sold]
    category = next(name for name in CATEGORIES if name != product["category"])
    new_day, now = history.moment(days_ago=20), history.moment()
    registered = datetime.combine(registering["created_at"].date(), time(), UTC)
    before = copy.published()

    history.update(ORDERS, moved, created_at=new_day, updated_at=now)
    history.update(USERS, user, created_at=registered, updated_at=now)
    history.update(PRODUCTS, product, category=category, updated_at=now)
    copy.batch(history)
    assert_right(copy, history)

    changed = rebuilt(before, copy.published())
    both_days = {(moved["created_at"].date(),), (new_day.date(),)}
    of_user = {(order["created_at"].date(),) for order in of_customers if order["user_id"] == user["id"]}
    daily = set(changed["daily_business_metrics"])
    assert both_days | {(registered.date(),)} <= daily <= both_days | of_user
    lines = [line for line in rows["order_items"].values() if line["product_id"] == product["id"]]
    assert changed["order_items_enhanced"] == sorted((line["id"],) for line in lines)
    days_sold = {day_of(history, line) for line in lines if is_a_sale(history, line)}
    assert {(day, product["id"]) for day in days_sold} <= set(changed["product_performance"])
    assert (product["id"],) in changed["products_enhanced"]
    buyers = {rows["orders"][line["order_id"]]["user_id"] for line in lines if line["order_id"] in rows["orders"]}
    of_touched = {
        order["id"]
        for order in rows["orders"].values()
        if order["user_id"] in {moved["user_id"], user["id"], *buyers} - {None}
    }
    assert {moved["id"]} <= {id for (id,) in changed["orders_enhanced"]} <= of_touched


def day_of(history: ShopHistory, line: dict[str, Any]) -> date:
    created_at: datetime = history.rows["orders"][line["order_id"]]["created_at"]
    return created_at.date()


def test_nothing_changed_sends_no_statement_but_the_question(
    copy: WarehouseCopy, history: ShopHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    execute = type(copy.client).execute
    monkeypatch.setattr(type(copy.client), "execute", lambda *its: sent.append(its[1]) or execute(*its))
    assert copy.build(history).models == 0
    copy.publish(history)
    assert sent == []


def test_days_of_changes_whose_tests_fail_are_not_seen_and_the_next_batch_takes_them_in(
    copy: WarehouseCopy, history: ShopHistory
) -> None:
    before = copy.published()
    history.live(days=2)
    broken = history.insert(ORDERS, **{**history.rows["orders"][max(history.rows["orders"])], "id": 9_999})
    history.logs["orders"][-1]["shipping_address"] = "__debezium_unavailable_value"
    with pytest.raises(ContractViolation, match="no_placeholder_base_orders"):
        copy.build(history)
    assert copy.published() == before
    assert builds(copy.client)[-1].state is State.BEGUN

    history.delete(ORDERS, broken["id"])
    copy.batch(history)
    assert_right(copy, history)


OLDER = (
    older(USERS_ENHANCED, without="full_name", last_name={"nullable": False}),
    older(ORDERS_ENHANCED, without="days_to_fulfillment", total_amount={"type": Exact(8, 2)}),
)
"""A column made nullable, one widened and two new ones since."""


def test_published_tables_follow_their_contracts_and_take_the_next_batch(
    copy: WarehouseCopy, history: ShopHistory
) -> None:
    before = {old.name: copy.rows("STAGING", old) for old in OLDER}
    for old in OLDER:
        put_back(copy.client, old)
    altered = migrate_snowflake(copy.client, TABLES_BY_SCHEMA)
    assert [(each.dataset.name, each.step.column.name) for each in altered] == [
        ("users_enhanced", "last_name"),
        ("users_enhanced", "full_name"),
        ("orders_enhanced", "total_amount"),
        ("orders_enhanced", "days_to_fulfillment"),
    ]
    assert {old.name: copy.rows("STAGING", old) for old in OLDER} == before
    nameless = history.insert(USERS, **{**history.new_user(), "id": 9_998, "first_name": None, "last_name": None})
    dear = history.new_order(total_amount=Decimal("99999999.99"))
    copy.batch(history)
    kept = copy.client.query("select last_name from STAGING.users_enhanced where id = %s", (nameless["id"],))
    paid = copy.client.query("select total_amount from STAGING.orders_enhanced where id = %s", (dear["id"],))
    assert (kept, paid) == ([(None,)], [(dear["total_amount"],)])


IN_MART = "MARTS_SHADOW.daily_business_metrics"
PLANTED = {
    "daily_business_metrics_has_one_row_per_date": (
        f"insert into {IN_MART} select * from {IN_MART} where date = (select min(date) from {IN_MART})"
    ),
    "daily_business_metrics_covers_every_order_date": (
        f"delete from {IN_MART} where date = (select max(date) from {IN_MART})"
    ),
    "revenue_is_conserved_from_raw_to_marts": (
        f"update {IN_MART} set total_revenue = total_revenue + 0.01 where date = "
        f"(select max(date) from {IN_MART} where total_orders > 0)"
    ),
    "staging_keeps_every_row": (
        "delete from STAGING_SHADOW.order_items_enhanced "
        "where id = (select min(id) from STAGING_SHADOW.order_items_enhanced)"
    ),
    "every_event_is_in_one_session": (
        "delete from STAGING_SHADOW.sessions where session_id = (select min(session_id) from STAGING_SHADOW.sessions)"
    ),
    "in_range_mart_monthly_kpis": (
        "update MARTS_SHADOW.monthly_kpis set retention_rate = 1.01 where month = "
        "(select max(month) from MARTS_SHADOW.monthly_kpis)"
    ),
    "history_periods_follow_each_other": (
        "update MARTS_SHADOW.product_history set is_deleted = true where is_current and product_id = "
        "(select min(product_id) from MARTS_SHADOW.product_history)"
    ),
    "history_ends_in_the_current_state": (
        "update MARTS_SHADOW.user_history set last_name = 'Nobody' where is_current and user_id = "
        "(select min(user_id) from MARTS_SHADOW.user_history)"
    ),
}
"""A fault for each critical test of the project's own."""


def results_of(copy: WarehouseCopy, history: ShopHistory, *names: str) -> list[dict[str, Any]]:
    """What these tests say of the working copies."""
    copy.dbt.run("test", "--select", *names, batch=variables(history.as_of(), Extent(history.position())))
    results: list[dict[str, Any]] = json.loads((copy.dbt.folder / "target" / "run_results.json").read_text())["results"]
    return results


def test_a_fault_in_the_working_copies_fails_its_critical_test(copy: WarehouseCopy, history: ShopHistory) -> None:
    for fault in PLANTED.values():
        assert copy.client.execute(fault) == 1
    results = results_of(copy, history, *PLANTED)
    assert {result["unique_id"].split(".")[2]: result["status"] for result in results} == dict.fromkeys(PLANTED, "fail")
    with pytest.raises(ContractViolation, match=r"8 critical tests failed: \w+ \(\d rows\), "):
        judge(results)


def test_a_mart_without_a_row_has_not_one_row_per_date(copy: WarehouseCopy, history: ShopHistory) -> None:
    copy.client.execute(f"delete from {IN_MART}")
    (result,) = results_of(copy, history, "daily_business_metrics_has_one_row_per_date")
    assert (result["status"], result["failures"]) == ("fail", 1)


@pytest.fixture(scope="module")
def own_project(copy: WarehouseCopy, tmp_path_factory: pytest.TempPathFactory) -> Dbt:
    """The project once more, to be spoiled."""
    folder = tmp_path_factory.mktemp("spoiled")
    project = shutil.copytree(copy.dbt.project, folder / "dbt_project")
    return replace(copy.dbt, project=project, folder=folder / "dbt")


@contextmanager
def spoiled(dbt: Dbt, model: str, right: str, wrong: str) -> Iterator[None]:
    """A model of the project with one text in the place of another."""
    (file,) = dbt.project.rglob(f"{model}.sql")
    text = file.read_text()
    assert right in text
    file.write_text(text.replace(right, wrong))
    try:
        yield
    finally:
        file.write_text(text)


def test_a_model_that_does_not_compile_is_named_and_nothing_is_published(
    own_project: Dbt, copy: WarehouseCopy, history: ShopHistory
) -> None:
    before, seen = publications(copy.client), copy.published()
    said = r"cannot use the project:\nCompilation Error in model mart_monthly_kpis"
    with (
        spoiled(own_project, "mart_monthly_kpis", "from {{ ref('base_users') }}", "from {{ ref('base_users') }"),
        pytest.raises(Misconfigured, match=said),
    ):
        bring_up(copy.client, own_project, history.as_of(), history.position())
    assert (publications(copy.client), copy.published()) == (before, seen)


def test_a_mart_with_another_type_than_its_contract_is_named(
    own_project: Dbt, copy: WarehouseCopy, history: ShopHistory
) -> None:
    """As of the full build that other models bring along, and of it this mart alone."""
    mart, right = "mart_monthly_cohorts", "::number(38, 0) as months_since"
    batch = variables(history.as_of(), Extent(history.position()))
    with (
        spoiled(own_project, mart, right, right.replace("number(38, 0)", "varchar")),
        pytest.raises(Misconfigured, match=rf"(?is)could not build {mart}: .*contract.*months_since_first_order"),
    ):
        own_project._judged("run", "--select", mart, "--full-refresh", batch=batch)

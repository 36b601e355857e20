"""What invoice lines become."""

# ruff: noqa: DTZ001 - the published files carry no zone

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from concord.contracts.tables import OrderStatus
from concord.ingest.lifecycle import STEPS, steps
from concord.ingest.made_up import person, stock_of
from concord.ingest.online_retail.categories import category_of
from concord.ingest.online_retail.facts import RetailFacts, retail_facts
from concord.ingest.online_retail.ids import Loaded
from concord.ingest.online_retail.lines import Lines, read_lines
from concord.ingest.online_retail.load import to_come
from concord.ingest.online_retail.plan import Plan, plan
from tests.retail import REAL_FILE, line, needs_real_file, parquet

NOTHING = Loaded(frozenset(), {}, {}, {}, {})


def planned(folder: Path, *lines: tuple[object, ...]) -> Plan:
    return plan(read_lines(parquet(folder, *lines)))


def test_a_cancellation_is_cancelled_with_quantities_positive(tmp_path: Path) -> None:
    made = planned(tmp_path, line("C536379", quantity=-4, price=2.50))
    assert made.orders.select("status", "cents").row(0) == ("cancelled", 1000)
    assert made.items["quantity"].to_list() == [4]


def test_lines_that_break_a_rule_are_planned_as_they_are(tmp_path: Path) -> None:
    made = planned(tmp_path, line("1", quantity=-5, price=0.0), line("A2", "B", price=-11062.06, quantity=1))
    assert made.items.select("quantity", "cents").rows() == [(-5, 0), (1, -1106206)]
    assert made.orders["cents"].to_list() == [0, -1106206]
    assert made.orders["status"].to_list() == ["pending", "pending"]


def test_an_order_is_created_at_its_earliest_line_and_orders_follow_time(tmp_path: Path) -> None:
    made = planned(
        tmp_path,
        line("9", at=datetime(2010, 12, 2, 10, 1)),
        line("9", at=datetime(2010, 12, 2, 10, 0)),
        line("8", at=datetime(2010, 12, 1)),
    )
    assert made.orders.select("rank", "external_id", "created_at", "first_item", "items").rows() == [
        (0, "8", datetime(2010, 12, 1, tzinfo=UTC), 0, 1),
        (1, "9", datetime(2010, 12, 2, 10, tzinfo=UTC), 1, 2),
    ]
    assert made.items["rank"].to_list() == [0, 1, 2]


def test_a_guest_has_no_user(tmp_path: Path) -> None:
    made = planned(tmp_path, line(customer=None))
    assert made.users.height == 0
    assert made.orders["user_id"].to_list() == [None]


def test_a_product_is_named_by_its_most_frequent_description_and_priced_by_its_latest_positive_one(
    tmp_path: Path,
) -> None:
    made = planned(
        tmp_path,
        line(description="lost", price=3.0, at=datetime(2010, 12, 1)),
        line(description="HEART", price=4.0, at=datetime(2010, 12, 3)),
        line(description="HEART", price=2.0, at=datetime(2010, 12, 2)),
        line(description="nan", price=0.0, at=datetime(2010, 12, 4)),
        line(description="nan", price=0.0, at=datetime(2010, 12, 4)),
        line(description="nan", price=0.0, at=datetime(2010, 12, 4)),
    )
    assert made.products.select("sku", "name", "cents").row(0) == ("85123A", "HEART", 400)
    assert made.products["created_at"][0] == datetime(2010, 12, 1, tzinfo=UTC)


def test_a_product_without_description_or_price_has_its_sku_and_zero(tmp_path: Path) -> None:
    made = planned(tmp_path, line(sku="84581", description="nan", price=0.0))
    assert made.products.select("name", "cents").row(0) == ("84581", 0)


def test_stock_codes_that_differ_in_case_are_two_products(tmp_path: Path) -> None:
    made = planned(tmp_path, line(sku="85123A"), line(sku="85123a"))
    assert made.products["sku"].to_list() == ["85123A", "85123a"]


def test_the_first_invoices_of_a_plan_keep_their_ranks(tmp_path: Path) -> None:
    made = planned(tmp_path, line("1"), line("2", sku="B", customer=2.0, at=datetime(2011, 1, 1)))
    first = made.first(1)
    assert (first.orders.height, first.items.height, first.products.height, first.users.height) == (1, 1, 1, 1)
    assert first.orders.equals(made.orders.head(1))


def test_every_order_but_a_cancelled_one_lives_through_all_steps(tmp_path: Path) -> None:
    moments = to_come(planned(tmp_path, line("1"), line("C2", quantity=-1)), NOTHING)
    assert [(moment.order, moment.step) for moment in moments] == [(0, 0), (1, 0), (0, 1), (0, 2), (0, 3)]
    assert moments == sorted(moments)


def test_what_is_loaded_is_not_to_come_again(tmp_path: Path) -> None:
    made = planned(tmp_path, line("1"), line("C2", quantity=-1))
    half = Loaded(frozenset({17850}), {0: 1}, {0: 1, 1: 2}, {0: 1, 1: 2}, {0: "shipped", 1: "cancelled"})
    assert [(moment.order, moment.step) for moment in to_come(made, half)] == [(0, 3)]
    done = Loaded(frozenset({17850}), {0: 1}, {0: 1, 1: 2}, {0: 1, 1: 2}, {0: "delivered", 1: "cancelled"})
    assert to_come(made, done) == []


def test_the_same_order_lives_the_same_life() -> None:
    placed = datetime(2010, 12, 1, tzinfo=UTC)
    life = steps("536365", placed)
    assert life == steps("536365", placed) != steps("536366", placed)
    assert [status for status, _ in life] == list(STEPS)
    assert placed < life[0][1] < life[1][1] < life[2][1]
    assert life[-1][0] is OrderStatus.DELIVERED


def test_made_up_people_are_stable_and_no_two_share_an_address() -> None:
    assert person(17850).email == "hana.kowalski.17850@example.com"
    assert len({person(number).email for number in range(12346, 18288)}) == 18288 - 12346
    assert stock_of("85123A") == stock_of("85123A") >= 0


@pytest.mark.parametrize(
    ("sku", "name", "category"),
    [
        ("POST", "POSTAGE", "service"),
        ("m", "Manual", "service"),
        ("gift_0001_20", "Dotcomgiftshop Gift Voucher £20.00", "vouchers"),
        ("22086", "PAPER CHAIN KIT 50'S CHRISTMAS", "christmas"),
        ("85099B", "JUMBO BAG RED RETROSPOT", "bags"),
        ("71053", "WHITE METAL LANTERN", "lighting"),
        ("1", "WHATNOT", "gifts"),
        ("2", "BAGPIPES", "gifts"),
    ],
)
def test_a_category_comes_from_the_declared_words(sku: str, name: str, category: str) -> None:
    assert category_of(sku, name) == category


@pytest.fixture(scope="module")
def real_lines() -> Lines:
    return read_lines(REAL_FILE)


@pytest.fixture(scope="module")
def facts() -> RetailFacts:
    return retail_facts(REAL_FILE)


@needs_real_file
def test_the_published_file_says_what_is_known_of_it(facts: RetailFacts) -> None:
    assert (facts.lines, facts.invoices, facts.cancelled_invoices) == (541_909, 25_900, 3_836)
    assert (facts.customers, facts.stock_codes) == (4_372, 4_070)
    assert (facts.lines_without_customer, facts.prices_zero_or_less) == (135_080, 2_521)
    assert [str(amount) for amount in (facts.revenue, facts.cancelled, facts.net)] == [
        "10644560.42",
        "896812.49",
        "9747747.93",
    ]
    assert sum(facts.revenue_by_day.values()) == facts.revenue
    assert sum(facts.orders_by_day.values()) == facts.invoices


@needs_real_file
def test_the_plan_of_the_published_file_hits_its_facts(real_lines: Lines) -> None:
    made = plan(real_lines)
    assert (made.items.height, made.orders.height) == (541_909, 25_900)
    assert (made.users.height, made.products.height) == (4_372, 4_070)
    is_cancelled = pl.col("status") == "cancelled"
    assert made.orders.filter(is_cancelled).height == 3_836
    assert made.orders.filter(~is_cancelled)["cents"].sum() == 1_064_456_042
    assert made.orders.filter(is_cancelled)["cents"].sum() == 89_681_249
    assert made.items.filter(pl.col("cents") <= 0).height == 2_521
    guests = made.orders.filter(pl.col("user_id").is_null())["rank"]
    assert made.items.filter(pl.col("order").is_in(guests.implode())).height == 135_080
    assert len(to_come(made, NOTHING)) == 25_900 + 3 * (25_900 - 3_836)


@needs_real_file
def test_revenue_per_day_of_the_plan_equals_plain_sums_over_the_file(real_lines: Lines, facts: RetailFacts) -> None:
    counted = plan(real_lines).orders.filter(pl.col("status") != "cancelled")
    days = counted.group_by(pl.col("created_at").dt.date()).agg(pl.col("cents").sum())
    plain = {day: int(amount * 100) for day, amount in facts.revenue_by_day.items() if amount}
    assert {day: cents for day, cents in days.iter_rows() if cents} == plain

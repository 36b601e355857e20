"""A mirror holds, per key, the last change at or below its position; however it got there."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from concord.batch import maintain
from concord.batch.days import Days
from concord.batch.feeds import spark_name
from concord.batch.mirrors import bring_to, held, rebuild, rebuild_days, remember
from concord.contracts.lake_metrics import CUSTOMER_METRICS
from concord.contracts.model import Dataset
from concord.contracts.names import cdc_topic
from concord.contracts.position import Position
from concord.contracts.tables import ORDERS, TOAST_PLACEHOLDER, as_change, as_landed, as_mirror, in_lake
from concord.dialects.iceberg import UNSTRUCTURED
from concord.errors import Misconfigured
from tests.factories import EPOCH, change_row
from tests.factories import row as example_row
from tests.local_lake import LocalLake

pytestmark = pytest.mark.spark

LOG = as_change(ORDERS).name


def advance(lake: LocalLake) -> Position:
    """Bring the mirror to everything that the log holds."""
    snapshot = lake.current_snapshot(LOG)
    upto = lake.position(LOG, snapshot)
    bring_to(lake.spark, ORDERS, upto, snapshot)
    return upto


def rows(lake: LocalLake, table: Dataset = ORDERS) -> list[dict[str, Any]]:
    return [row.asDict() for row in lake.table(table).orderBy("id").collect()]


def order(seed: int, offset: int, op: str = "c", **named: Any) -> dict[str, Any]:
    return change_row(ORDERS, op, seed, offset, **({} if op == "d" else named))


def test_changes_of_three_batches_are_merged_and_deletes_honoured(lake: LocalLake) -> None:
    lake.append(ORDERS, order(1, 0, "r", status="pending"), order(2, 0), order(3, 0))
    advance(lake)
    lake.append(ORDERS, order(1, 1, "u", status="shipped"), order(2, 1, "d"), order(7, 2))
    advance(lake)
    lake.append(ORDERS, order(7, 3, "d"), order(2, 2, total_amount=Decimal("3.10")))
    position = advance(lake)
    found = rows(lake)
    assert [(row["id"], row["_offset"], row["__op"]) for row in found] == [(1, 1, "u"), (2, 2, "c"), (3, 0, "c")]
    assert (found[0]["status"], found[1]["total_amount"]) == ("shipped", Decimal("3.10"))
    assert held(lake.spark, ORDERS) == position


def test_a_value_that_an_update_left_out_is_kept_in_the_batch_and_from_the_mirror(lake: LocalLake) -> None:
    lake.append(ORDERS, order(1, 0, shipping_address="old"), order(2, 0, shipping_address="first"))
    lake.append(ORDERS, order(4, 0, shipping_address=None))
    advance(lake)
    left_out = {"shipping_address": TOAST_PLACEHOLDER, "status": "delivered"}
    lake.append(ORDERS, order(1, 1, "u", **left_out), order(2, 1, "u", shipping_address="second"))
    lake.append(ORDERS, order(2, 2, "u", **left_out), order(4, 1, "u", **left_out))
    advance(lake)
    found = [(row["shipping_address"], row["status"]) for row in rows(lake)]
    assert found == [("old", "delivered"), ("second", "delivered"), (None, "delivered")]


def test_a_changed_key_is_a_delete_and_an_insert(lake: LocalLake) -> None:
    lake.append(ORDERS, order(1, 0))
    advance(lake)
    lake.append(ORDERS, order(1, 1, "d"), order(9, 2, "c", status="pending"))
    advance(lake)
    assert [row["id"] for row in rows(lake)] == [9]


def test_the_date_is_the_day_of_creation_and_moves_with_it(lake: LocalLake) -> None:
    lake.append(ORDERS, order(1, 0))
    advance(lake)
    (before,) = rows(lake)
    assert before["date"] == before["created_at"].date()
    later = before["created_at"].replace(year=2025, day=28)
    lake.append(ORDERS, order(1, 1, "u", created_at=later.astimezone()))
    advance(lake)
    (after,) = rows(lake)
    assert (after["date"].year, after["date"].day) == (2025, 28)


def test_a_merge_whose_position_was_not_written_is_repeated_and_changes_nothing(lake: LocalLake) -> None:
    lake.append(ORDERS, order(1, 0), order(2, 0))
    advance(lake)
    first = lake.spark.sql("show tblproperties iceberg.ecommerce.orders").where("key = 'concord.position'").collect()
    lake.append(ORDERS, order(1, 1, "d"), order(2, 1, "u", status="shipped"))
    advance(lake)
    before = rows(lake)
    remembered = first[0]["value"]
    lake.spark.sql(f"alter table iceberg.ecommerce.orders set tblproperties ('concord.position' = '{remembered}')")
    advance(lake)
    assert rows(lake) == before


def test_a_mirror_that_was_rolled_back_is_built_anew(lake: LocalLake) -> None:
    lake.append(ORDERS, order(1, 0), order(2, 0))
    advance(lake)
    lake.append(ORDERS, order(1, 1, "d"))
    advance(lake)
    expected = rows(lake)
    first = lake.spark.table("iceberg.ecommerce.orders.snapshots").orderBy("committed_at").first()
    assert first
    lake.spark.sql(f"call iceberg.system.rollback_to_snapshot('ecommerce.orders', {first['snapshot_id']})")
    assert held(lake.spark, ORDERS) is None
    advance(lake)
    assert rows(lake) == expected


JUNE = Days(date(2024, 6, 2), date(2024, 6, 3))


def test_days_are_built_anew_at_the_position_that_the_mirror_holds(lake: LocalLake) -> None:
    noons = {day: datetime(2024, 6, day, 12, tzinfo=UTC) for day in range(1, 5)}
    lake.append(ORDERS, *(order(day, day, created_at=noon) for day, noon in noons.items()))
    position = advance(lake)
    expected = rows(lake)
    lake.append(ORDERS, order(2, 9, "d"), order(5, 10, created_at=noons[2]))
    lake.spark.sql("update iceberg.ecommerce.orders set status = 'cancelled'")
    lake.spark.sql("delete from iceberg.ecommerce.orders where id = 3")
    remember(lake.spark, ORDERS, position)

    done = rebuild_days(lake.spark, ORDERS, JUNE, lake.current_snapshot(LOG))
    assert (done.changed_keys, done.is_rebuilt) == (2, True)
    found = rows(lake)
    assert found[1:3] == expected[1:3]
    assert [(row["id"], row["status"]) for row in found] == [
        (row["id"], row["status"] if row["id"] in {2, 3} else "cancelled") for row in expected
    ]
    assert held(lake.spark, ORDERS) == position


def test_days_of_a_mirror_that_does_not_know_what_it_holds_are_refused(lake: LocalLake) -> None:
    lake.append(ORDERS, order(1, 0))
    with pytest.raises(Misconfigured, match="mirror orders does not know what it holds"):
        rebuild_days(lake.spark, ORDERS, JUNE, lake.current_snapshot(LOG))


def compacted(lake: LocalLake, dataset: Dataset) -> int:
    """The number of its data files afterwards."""
    maintain.compact(lake.spark, dataset, datetime.now(UTC))
    return lake.spark.table(f"{spark_name(dataset)}.files").count()


def test_a_compacted_mirror_knows_what_it_holds_and_goes_on_from_there(lake: LocalLake) -> None:
    for offset in range(3):
        lake.append(ORDERS, order(1 + 4 * offset, offset, created_at=EPOCH))
        position = advance(lake)
    before = rows(lake)
    assert compacted(lake, in_lake(as_mirror(ORDERS))) == 1
    maintain.rewrite_manifests(lake.spark, in_lake(as_mirror(ORDERS)))
    assert held(lake.spark, ORDERS) == position
    assert rows(lake) == before
    lake.append(ORDERS, order(1, 3, "d"))
    snapshot = lake.current_snapshot(LOG)
    brought = bring_to(lake.spark, ORDERS, lake.position(LOG, snapshot), snapshot)
    assert (brought.is_rebuilt, brought.records, brought.changed_keys) == (False, 1, 1)
    assert [row["id"] for row in rows(lake)] == [row["id"] for row in before if row["id"] != 1]


def test_a_compacted_table_of_metrics_knows_what_it_holds(lake: LocalLake) -> None:
    lake.create(CUSTOMER_METRICS)
    for seed in range(2):
        lake.fill(CUSTOMER_METRICS, [example_row(CUSTOMER_METRICS, seed)])
    position = Position.of([(cdc_topic(ORDERS), 0, 7)])
    remember(lake.spark, CUSTOMER_METRICS, position)
    assert compacted(lake, CUSTOMER_METRICS) == 1
    assert held(lake.spark, CUSTOMER_METRICS) == position
    assert lake.table(CUSTOMER_METRICS).count() == 2


@pytest.mark.parametrize("dataset", UNSTRUCTURED, ids=lambda dataset: dataset.name)
def test_a_table_in_one_piece_is_compacted_whole(lake: LocalLake, dataset: Dataset) -> None:
    for seed in range(2):
        lake.fill(dataset, [example_row(dataset, seed)])
    assert compacted(lake, dataset) == 1
    assert lake.table(dataset).count() == 2


def test_of_a_log_only_days_that_are_over_are_compacted(lake: LocalLake) -> None:
    log = in_lake(as_landed(ORDERS))
    for offset in range(2):
        lake.append(ORDERS, order(1, offset))
    its_day = lake.table(log).agg({"_timestamp": "max"}).collect()[0][0].astimezone(UTC)
    maintain.compact(lake.spark, log, its_day)
    assert lake.spark.table(f"{spark_name(log)}.files").count() == 2
    maintain.compact(lake.spark, log, its_day + timedelta(days=1))
    assert lake.spark.table(f"{spark_name(log)}.files").count() == 1


OPS = st.lists(
    st.tuples(st.integers(1, 4), st.sampled_from("crud"), st.sampled_from(["a", None, TOAST_PLACEHOLDER])),
    min_size=1,
    max_size=12,
)


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=OPS, cut=st.integers(1, 11))
def test_built_from_zero_it_has_the_same_rows(lake: LocalLake, history: list[tuple[int, str, Any]], cut: int) -> None:
    lake.clear()
    changes = list(_lawful(history))
    for part in (changes[:cut], changes[cut:]):
        if part:
            lake.append(ORDERS, *part)
            position = advance(lake)
    merged = rows(lake)
    rebuild(lake.spark, ORDERS, position, lake.current_snapshot(LOG))
    assert rows(lake) == merged


def _lawful(history: list[tuple[int, str, Any]]) -> Iterator[dict[str, Any]]:
    """Only an update of a row that is there leaves a value out; every other change carries the whole row."""
    there: set[int] = set()
    for offset, (seed, op, address) in enumerate(history):
        is_whole = (op != "u" or seed not in there) and address == TOAST_PLACEHOLDER
        yield order(seed, offset, op, shipping_address="whole" if is_whole else address)
        there = there - {seed} if op == "d" else there | {seed}

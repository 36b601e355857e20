from datetime import UTC, datetime

import pytest

from concord.batch.range import batch_id, between, changes_between, check_never_back, predecessor
from concord.contracts.names import cdc_topic
from concord.contracts.position import Position, Publication
from concord.contracts.tables import ORDERS, USERS
from concord.errors import Disagreement, Misconfigured

TOPIC = cdc_topic(ORDERS)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def held(*offsets: int) -> Position:
    return Position.of((TOPIC, partition, offset) for partition, offset in enumerate(offsets))


def published(*names: str) -> list[Publication]:
    return [Publication(name, held(number), NOON, NOON) for number, name in enumerate(names)]


def test_range_starts_above_the_last_position_and_ends_with_the_pinned_one() -> None:
    assert between(TOPIC, held(4), held(9)).in_raw() == (
        "_topic = 'ecommerce.public.orders' and ((_partition = 0 and _offset > 4 and _offset <= 9))"
    )


def test_partition_that_was_never_held_is_read_from_its_first_offset() -> None:
    assert "_partition = 1 and _offset > -1 and _offset <= 0" in between(TOPIC, held(4), held(4, 0)).in_raw()


def test_partition_that_did_not_move_is_left_out() -> None:
    assert [bound.partition for bound in between(TOPIC, held(4, 7), held(4, 8)).bounds] == [1]


def test_range_is_the_lakes_by_the_lakes_column_names() -> None:
    predicate = between(TOPIC, held(4), held(9)).in_lake()
    assert "_kafka_partition = 0" in predicate
    assert " _partition" not in predicate


def test_table_without_new_changes_has_no_range() -> None:
    assert between(cdc_topic(USERS), held(4), held(9)).is_empty
    assert [feed.name for feed, _ in changes_between(held(4), held(9))] == [ORDERS.name]
    assert list(changes_between(held(4), held(4))) == []


def test_empty_range_matches_nothing() -> None:
    assert between(TOPIC, held(4), held(4)).in_raw().endswith("(false)")


def test_batch_id_depends_on_number_and_position_alone() -> None:
    assert batch_id(7, held(1, 2)) == batch_id(7, Position.of([(TOPIC, 1, 2), (TOPIC, 0, 1)]))
    assert batch_id(7, held(1, 2)) != batch_id(7, held(1, 3))


def test_batch_ids_sort_by_number() -> None:
    names = [batch_id(number, held(number)) for number in (1, 2, 9, 10, 99, 100)]
    assert names == sorted(names)


def test_lake_that_holds_less_than_was_published_is_a_disagreement() -> None:
    check_never_back(held(4), held(4))
    with pytest.raises(Disagreement, match='"0": 3'):
        check_never_back(held(4), held(3))


def test_first_batch_has_no_predecessor() -> None:
    assert predecessor(published("a", "b"), "a")[0] is None


def test_predecessor_is_the_batch_published_just_before() -> None:
    before, again = predecessor(published("a", "b", "c"), "c")
    assert (before.batch_id if before else None, again.batch_id) == ("b", "c")


def test_unknown_batch_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(Misconfigured, match="batch x was never published") as caught:
        predecessor(published("a", "b"), "x")
    assert "a, b" in caught.value.hint

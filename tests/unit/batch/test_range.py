from datetime import UTC, datetime

import pytest

from concord.batch.range import Span, batch_id, between, changes_between, check_never_back, span_of, spans
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
    assert [feed.name for feed, _ in changes_between(Span(held(4), held(9)))] == [ORDERS.name]
    assert list(changes_between(Span(held(4), held(4)))) == []


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


def test_a_batch_brought_what_lies_above_the_one_published_just_before() -> None:
    assert spans(published("a", "b", "c")) == {
        "a": Span(Position(), held(0)),
        "b": Span(held(0), held(1)),
        "c": Span(held(1), held(2)),
    }


def test_what_two_spans_share_is_above_both_and_up_to_the_lower_end() -> None:
    assert Span(held(2, 0), held(9, 5)).within(Span(held(0, 3), held(4, 9))) == Span(held(2, 3), held(4, 5))


def test_spans_apart_share_nothing() -> None:
    assert Span(held(0), held(4)).within(Span(held(4), held(9))).is_empty
    assert Span(held(0), held(4)).within(Span(Position(), Position())).is_empty
    assert not Span(held(0), held(4)).within(Span(held(3), held(9))).is_empty


def test_unknown_batch_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(Misconfigured, match="batch x was never published") as caught:
        span_of(published("a", "b"), "x")
    assert "a, b" in caught.value.hint

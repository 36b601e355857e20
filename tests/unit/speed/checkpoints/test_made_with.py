"""Which changes over an old checkpoint are harmless."""

from dataclasses import replace

import pytest

from concord.contracts.names import CHANGES_QUERY, EVENTS_QUERY
from concord.gateways.kafka import TopicIdentity
from concord.speed.checkpoints.made_with import Change, MadeWith, changes, columns_of
from concord.speed.checkpoints.plan import PLANS

WAS = MadeWith(
    spark="3.5.7",
    topics={"events": TopicIdentity("aaa", 4)},
    definitions={"the lateness bound in seconds": 1800},
    columns={"events": {"price": "Nullable(Decimal(10, 2))", "event_id": "UUID"}},
)


def events(id: str = "aaa", partitions: int = 4) -> dict[str, TopicIdentity]:
    return {"events": TopicIdentity(id, partitions)}


def columns(**named: str) -> dict[str, dict[str, str]]:
    return {"events": {**WAS.columns["events"], **named}}


def seen(now: MadeWith, is_ordered: bool = False) -> Change:
    (change,) = changes(WAS, now, is_ordered)
    return change


def test_nothing_changed_is_no_change() -> None:
    assert changes(WAS, replace(WAS), is_ordered_by_partition=True) == []


def test_what_is_noted_comes_back() -> None:
    assert MadeWith.from_json(WAS.as_json()) == WAS


@pytest.mark.parametrize(
    "now",
    [
        replace(WAS, spark="3.5.8"),
        replace(WAS, spark="4.1.0"),
        replace(WAS, topics=events(partitions=6)),
        replace(WAS, topics={**events(), "more": TopicIdentity("bbb", 4)}),
        replace(WAS, columns=columns(colour="Nullable(String)")),
        replace(WAS, columns=columns(price="Nullable(Decimal(12, 2))")),
    ],
    ids=[
        "a patch of Spark",
        "a newer Spark",
        "more partitions",
        "one more topic",
        "one more optional column",
        "a wider decimal",
    ],
)
def test_a_harmless_change_is_told_and_does_not_matter(now: MadeWith) -> None:
    assert not seen(now).why


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (replace(WAS, format=2), "the checkpoint's format was 1, is 2"),
        (replace(WAS, spark="3.4.1"), "Spark was 3.5.7, is 3.4.1"),
        (replace(WAS, topics=events(id="bbb")), "topic events was aaa, is bbb (it was deleted and created again"),
        (replace(WAS, topics={}), "topic events was read, is left out"),
        (
            replace(WAS, definitions={"the lateness bound in seconds": 60}),
            "the lateness bound in seconds was 1800, is 60",
        ),
        (replace(WAS, columns=columns(event_id="String")), "column events.event_id was UUID, is String"),
        (replace(WAS, columns=columns(tier="String")), "column events.tier was absent, is String"),
        (
            replace(WAS, columns={"events": {"event_id": "UUID"}}),
            "column events.price was Nullable(Decimal(10, 2)), is absent",
        ),
    ],
)
def test_a_change_that_matters_is_named_with_both_values_and_the_reason(now: MadeWith, told: str) -> None:
    change = seen(now)

    assert str(change).startswith(told)
    assert change.why


def test_more_partitions_matter_where_rows_follow_from_the_order_within_one() -> None:
    assert seen(replace(WAS, topics=events(partitions=6)), is_ordered=True).why
    assert PLANS[CHANGES_QUERY].is_ordered_by_partition
    assert not PLANS[EVENTS_QUERY].is_ordered_by_partition


def test_of_another_format_nothing_else_is_compared() -> None:
    assert len(changes(WAS, replace(WAS, format=2, topics={}, spark="1.0"), is_ordered_by_partition=True)) == 1


def test_every_plan_names_the_columns_of_its_tables() -> None:
    for plan in PLANS.values():
        assert {table.name for table in plan.tables} == columns_of(plan.tables).keys()

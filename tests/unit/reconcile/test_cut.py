"""A cut's predicate holds exactly the changes at or below it."""

from concord.contracts.names import EVENTS_TOPIC
from concord.contracts.position import Position
from concord.contracts.state import held_by
from concord.reconcile.cut import Cut, tables_only
from concord.reconcile.run import common_cut

ORDERS = "ecommerce.public.orders"


def test_predicate_names_every_partition_that_is_held():
    of_orders = [(ORDERS, 0, 7), (ORDERS, 3, 2)]
    cut = Cut(Position.of([*of_orders, ("other", 1, 9)]))
    assert cut.predicate(ORDERS) == held_by(Position.of(of_orders))


def test_a_topic_of_which_nothing_is_held_admits_no_row():
    assert Cut(Position()).predicate(ORDERS) == "false"


def test_a_fence_also_bounds_the_log_position():
    assert Cut(Position.of([(ORDERS, 0, 7)]), below_lsn=99).predicate(ORDERS).endswith("and __source_lsn < 99")


def test_the_common_cut_is_the_minimum_over_tables_and_clickstream():
    speed = Position.of([(ORDERS, 0, 9), (ORDERS, 1, 4), (EVENTS_TOPIC, 0, 100), ("other", 0, 1)])
    batch = Position.of([(ORDERS, 0, 5), (EVENTS_TOPIC, 0, 70)])
    assert common_cut(speed, batch) == Position.of([(ORDERS, 0, 5), (ORDERS, 1, -1), (EVENTS_TOPIC, 0, 70)])


def test_no_fence_divides_the_clickstream():
    cut = Cut(Position.of([(EVENTS_TOPIC, 0, 7), (ORDERS, 0, 1)]), below_lsn=99)
    assert cut.of_events() == held_by(Position.of([(EVENTS_TOPIC, 0, 7)]))


def test_tables_only_leaves_events_out():
    assert tables_only(Position.of([(EVENTS_TOPIC, 0, 1)])) == Position()

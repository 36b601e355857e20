"""The token of an insert: the same for every attempt at the same records, and for no other insert."""

from concord.speed.batch_token import BatchToken

RANGES = {("t", 0): (0, 9), ("t", 1): (3, 4)}
TOKEN = BatchToken("speed.events", "checkpoint", 12)


def test_the_order_in_which_partitions_came_does_not_matter() -> None:
    assert TOKEN.of("events", RANGES) == TOKEN.of("events", dict(reversed(RANGES.items())))


def test_every_part_of_its_making_changes_it() -> None:
    tokens = {
        TOKEN.of("events", RANGES),
        TOKEN.of("dead_letters", RANGES),
        TOKEN.of("events", {**RANGES, ("t", 1): (3, 5)}),
        TOKEN.of("events", {**RANGES, ("t", 1): (2, 4)}),
        TOKEN.of("events", {("u", 0): (0, 9), ("t", 1): (3, 4)}),
        BatchToken("speed.events", "checkpoint", 13).of("events", RANGES),
        BatchToken("speed.events", "another", 12).of("events", RANGES),
        BatchToken("speed.changes", "checkpoint", 12).of("events", RANGES),
    }

    assert len(tokens) == 8

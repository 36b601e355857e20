"""Positions and reasons."""

import pytest

from concord.ingest.dead_letters.letters import REASONS, TRANSIENT, Place
from concord.rules.violations import BAD_CHANGE_RECORD
from concord.speed import change_logs


def test_a_position_is_read_as_it_is_written() -> None:
    place = Place("ecommerce.events.v1", 3, 17)
    assert Place.parse(str(place)) == place


@pytest.mark.parametrize(
    "text", ["", "topic", "topic/1", "topic/1/2/3", "/1/2", "topic/-1/2", "topic/1/x", "topic/1/²"]
)
def test_anything_else_is_no_position(text: str) -> None:
    with pytest.raises(ValueError, match="topic/partition/offset"):
        Place.parse(text)


def test_the_reason_of_a_bad_change_is_the_one_that_the_speed_layer_writes() -> None:
    assert change_logs.BAD_CHANGE_RECORD == BAD_CHANGE_RECORD
    assert set(TRANSIENT) < set(REASONS)

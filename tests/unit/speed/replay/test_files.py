"""What a replay keeps beside the checkpoints, and the checkpoint that it leaves."""

from pathlib import Path

import pytest

from concord.contracts.position import TopicPartition
from concord.errors import Misconfigured
from concord.speed.checkpoints.folder import LocalFolder
from concord.speed.checkpoints.standing import standing
from concord.speed.replay import plan as plans
from concord.speed.replay import spark_files
from concord.speed.replay.plan import Plan

QUERY = "speed.events"
ONE = TopicPartition("ecommerce.events.v1", 1)
MADE = Plan("3f1c", {"events_landing": 7}, (10, 25), {"ecommerce.events.v1-1": 42})


def test_a_plan_comes_back_as_it_was_written(tmp_path: Path) -> None:
    folder = LocalFolder(tmp_path)
    plans.write(folder, QUERY, MADE.wiped())

    found = plans.read(folder, QUERY)

    assert found == MADE.wiped()
    assert found.next_offsets() == {ONE: 42}
    assert [found.span(number) for number in (0, 1)] == [(-1, 10), (10, 25)]


def test_a_finished_plan_is_gone(tmp_path: Path) -> None:
    folder = LocalFolder(tmp_path)
    plans.write(folder, QUERY, MADE)
    assert plans.is_unfinished(folder, QUERY)

    plans.finish(folder, QUERY)

    assert not plans.is_unfinished(folder, QUERY)
    assert plans.read(folder, QUERY) is None


def test_a_plan_that_is_cut_short_is_named(tmp_path: Path) -> None:
    (tmp_path / plans.name(QUERY)).write_text('{"checkpoint_id":')

    with pytest.raises(Misconfigured, match=r"replay-speed\.events\.json is empty or cut short"):
        plans.read(LocalFolder(tmp_path), QUERY)


def test_a_query_stands_behind_the_last_micro_batch_of_the_replay(tmp_path: Path) -> None:
    folder = LocalFolder(tmp_path)
    (tmp_path / QUERY / "offsets").mkdir(parents=True)
    (tmp_path / QUERY / "offsets" / "99").write_text("of the checkpoint before")
    spark_files.begin(folder, QUERY, "3f1c")
    for number, end in enumerate((20, 42)):
        spark_files.commit(folder, QUERY, number, {ONE: end}, at_ms=1)

    found = standing(folder, QUERY)

    assert found is not None
    assert (found.planned, found.committed, found.next_offsets) == (1, 1, {ONE: 42})

import json
from collections.abc import Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from concord.batch import job
from concord.batch.build import Dbt
from concord.contracts.names import cdc_topic
from concord.contracts.position import Position
from concord.contracts.tables import ORDERS
from concord.errors import Disagreement, Misconfigured
from tests.speed_store import SpeedStore

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class LakeAt:
    """A lake whose orders are at one offset and whose other tables are empty."""

    def __init__(self, offset: int) -> None:
        self.offset = offset

    def current_snapshot(self, name: str) -> int | None:
        return 42 if name == "orders_changes" else None

    def position(self, name: str, snapshot_id: int | None = None) -> Position:
        assert snapshot_id == 42
        return Position.of([(cdc_topic(ORDERS), 0, self.offset)])


class PublishedAt:
    """A warehouse that answers with its publications and remembers what it was sent."""

    def __init__(self, *offsets: int) -> None:
        self.offsets = offsets
        self.statements: list[str] = []

    def query(self, statement: str, parameters: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        self.statements.append(statement)
        return [(f"b{offset}", json.dumps({cdc_topic(ORDERS): {"0": offset}}), NOON, NOON) for offset in self.offsets]

    def records(self, statement: str) -> list[dict[str, Any]]:
        self.statements.append(statement)
        return []


def no_spark() -> Any:
    raise AssertionError("Spark was started")


def tools(lake: LakeAt, warehouse: PublishedAt, folder: Path) -> Any:
    return job.Tools(lake, warehouse, warehouse, SpeedStore(), no_spark, {}, Dbt(folder, folder, {}), folder)  # type: ignore[arg-type]


def test_nothing_new_starts_no_spark_and_sends_no_load_statement(tmp_path: Path) -> None:
    warehouse = PublishedAt(7)
    outcome = job.run(tools(LakeAt(7), warehouse, tmp_path), job.Request(NOON), job.silent)
    assert outcome.publication is None
    assert all(statement.startswith("select") for statement in warehouse.statements)


def test_name_that_is_published_already_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="batch b7 is already published"):
        job.run(tools(LakeAt(9), PublishedAt(7), tmp_path), job.Request(NOON, batch_id="b7"), job.silent)


def test_lake_behind_the_published_batch_stops_before_anything_is_loaded(tmp_path: Path) -> None:
    with pytest.raises(Disagreement, match="less than was published"):
        job.run(tools(LakeAt(5), PublishedAt(7), tmp_path), job.Request(NOON), job.silent)


def test_lease_is_given_back_after_a_failure(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(Disagreement):
            job.run(tools(LakeAt(5), PublishedAt(7), tmp_path), job.Request(NOON), job.silent)


def test_steps_are_named_while_they_run(tmp_path: Path) -> None:
    named: list[str] = []

    @contextmanager
    def step(name: str) -> Any:
        named.append(name)
        yield

    job.run(tools(LakeAt(7), PublishedAt(7), tmp_path), job.Request(NOON), step)
    assert named == ["pin the lake", "load what is known of documents", "hand tiers and catalogue to the speed layer"]

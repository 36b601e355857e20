"""Advice comes with what speaks for it, and not without."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from concord.contracts.warehouse import Size
from concord.rules.cost_advice import (
    FEW_STATEMENTS,
    knows_partitions,
    on_files,
    on_idle_time,
    on_scans,
    on_size,
)
from concord.rules.warehouse_cost import bill
from tests.unit.rules.test_warehouse_cost import PRICES, at, stop

QUICK = [at(each, 1) for each in range(FEW_STATEMENTS)]


def of(statements, suspend: int = 300, size: Size = Size.SMALL):
    return bill("WH", statements, size, stop(suspend), PRICES)


def test_a_warehouse_that_waits_most_of_its_time_should_stop_sooner() -> None:
    (advice,) = on_idle_time(of(QUICK), of(QUICK, 60))
    assert "stop after 60 s" in advice.do
    assert "94% of 320 s" in advice.evidence
    assert f"{advice.saves:.6f}" == f"{Decimal(240) * 2 / 3600:.6f}"


def test_a_warehouse_that_works_is_left_alone() -> None:
    busy = [at(0, 3000)]
    assert list(on_idle_time(of(busy), of(busy, 60))) == []


def test_a_warehouse_whose_work_is_quick_may_be_smaller() -> None:
    (advice,) = on_size(of(QUICK), QUICK)
    assert advice.do == "try XSMALL instead of SMALL"
    assert "at most 1.0 s" in advice.evidence


def test_size_is_not_judged_by_a_handful_or_by_what_spilled_or_of_the_smallest() -> None:
    assert list(on_size(of(QUICK[:-1]), QUICK[:-1])) == []
    spilled = [*QUICK[1:], replace(QUICK[0], spilled_bytes=1)]
    assert list(on_size(of(spilled), spilled)) == []
    assert list(on_size(of(QUICK, size=Size.XSMALL), QUICK)) == []


def test_work_that_takes_long_keeps_its_size() -> None:
    slow = [replace(each, ended_at=each.begun_at + timedelta(seconds=30)) for each in QUICK]
    assert list(on_size(of(slow), slow)) == []


def test_a_read_of_nearly_every_partition_of_a_large_table_is_told() -> None:
    whole = replace(at(0, 10), partitions_scanned=95, partitions_total=100)
    pruned = replace(at(0, 10), partitions_scanned=5, partitions_total=100)
    tiny = replace(at(0, 10), partitions_scanned=3, partitions_total=3)
    (advice,) = on_scans("WH", [whole, pruned, tiny])
    assert advice.evidence.startswith("1 statements, 10 s")
    assert list(on_scans("WH", [pruned, tiny, at(0, 1)])) == []


def test_without_partitions_nothing_is_known_of_them() -> None:
    assert not knows_partitions(QUICK)
    assert knows_partitions([replace(QUICK[0], partitions_total=1)])


def test_many_small_files_should_be_compacted() -> None:
    (advice,) = on_files("orders_changes", 40, 20 << 10)
    assert advice.do == "concord lake compact orders_changes"
    assert list(on_files("orders_changes", 7, 20 << 10)) == []
    assert list(on_files("orders_changes", 40, 120 << 20)) == []

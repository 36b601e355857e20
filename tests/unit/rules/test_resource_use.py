"""What was asked for against what was used, and from when on it is worth a word."""

from dataclasses import replace
from decimal import Decimal

from concord.rules.resource_use import (
    MIB,
    Asked,
    Footprint,
    JobRun,
    on_cores,
    on_footprint,
    on_memory,
    use_by_job,
)

ASKED = Asked(cores=2, memory_bytes=3_000 * MIB)
RUN = JobRun("customer_metrics", Decimal(10), Decimal(16), 2_000 * MIB, 0)


def test_runs_of_a_job_are_added_and_the_highest_memory_counts() -> None:
    runs = [RUN, replace(RUN, cpu_seconds=Decimal(4), peak_memory_bytes=900 * MIB), replace(RUN, job="a")]
    other, use = use_by_job(runs, ASKED)

    assert (other.job, use.job, use.runs) == ("a", "customer_metrics", 2)
    assert (use.core_seconds_asked, use.core_seconds_used, use.core_share) == (40, 20, Decimal("0.5"))
    assert use.memory_share == Decimal(2_000) / 3_000


def test_no_runs_are_nothing_to_say() -> None:
    assert [*on_memory([]), *on_cores([], ASKED)] == []


def test_memory_that_nobody_used_is_named_with_room_above_the_use() -> None:
    (advice,) = on_memory(use_by_job([replace(RUN, peak_memory_bytes=1_000 * MIB)] * 5, ASKED))
    assert advice.do == "set spark.batch_memory to 1250m"
    assert "at most 1,000" in advice.evidence


def test_few_runs_say_nothing_of_memory() -> None:
    assert [*on_memory(use_by_job([replace(RUN, peak_memory_bytes=1)] * 4, ASKED))] == []


def test_what_goes_to_disk_wants_more_memory_however_little_was_used() -> None:
    (advice,) = on_memory(use_by_job([replace(RUN, peak_memory_bytes=1, spilled_bytes=5 * MIB)], ASKED))
    assert "ask for more" in advice.do
    assert advice.evidence == "5 MiB went to disk"


def test_idle_cores_are_named_and_busy_ones_are_not() -> None:
    (advice,) = on_cores(use_by_job([replace(RUN, cpu_seconds=Decimal(2))] * 5, ASKED), ASKED)
    assert advice.evidence.startswith("10% of 100 core seconds")
    assert [*on_cores(use_by_job([RUN] * 5, ASKED), ASKED)] == []


def test_a_table_is_named_if_much_more_is_kept_than_its_rows() -> None:
    (advice,) = on_footprint(Footprint("orders", 30 * MIB, 90 * MIB))
    assert advice.evidence == "90 MiB are kept for 30 MiB of rows"
    assert [*on_footprint(Footprint("orders", 31 * MIB, 90 * MIB)), *on_footprint(Footprint("a", 1, 60 * MIB))] == []

"""Percentiles by nearest rank."""

import pytest

from concord.bench.percentiles import percentile, percentiles


def test_a_percentile_is_a_value_that_was_measured():
    assert percentiles([5, 1, 4, 2, 3]) == {"p50": 3, "p95": 5, "p99": 5, "p100": 5}


@pytest.mark.parametrize(("share", "value"), [(1, 1), (50, 50), (95, 95), (99, 99), (100, 100)])
def test_of_a_hundred_values_the_rank_is_the_share(share, value):
    assert percentile(list(range(100, 0, -1)), share) == value


def test_without_values_there_is_no_percentile():
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)

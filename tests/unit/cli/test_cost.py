"""Times on the command line, and what is told about the figures."""

from dataclasses import replace
from datetime import timedelta

import pytest

from concord.cli.cost.basis import LOCAL, basis, notes
from concord.cli.cost.whatif import WrongTime, duration
from concord.contracts.warehouse import Size
from tests.unit.rules.test_warehouse_cost import PRICES, at


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("15m", 900), ("2h", 7200), ("1d", 86_400), (" 1h ", 3600)])
def test_a_time_is_a_number_and_its_unit(text: str, seconds: int) -> None:
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "15", "m", "0m", "-5m", "1.5h", "2d", "999999999m", "15 minutes"])
def test_anything_else_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(WrongTime, match="takes a time like 90s"):
        duration(text)


def test_seconds_of_the_stand_in_are_called_its_own() -> None:
    found = {"COMPUTE_WH": [at(0, 1)]}
    assert LOCAL in notes(PRICES, found)
    assert basis(PRICES, found)["seconds_are_the_stand_ins"] is True


def test_an_accounts_seconds_are_taken_as_they_are_and_prices_dated() -> None:
    found = {"COMPUTE_WH": [replace(at(0, 1), size=Size.SMALL)]}
    (prices,) = notes(PRICES, found)
    assert "3 EUR per credit" in prices
    assert "of 2026-01-01" in prices


def test_a_month_that_cannot_be_is_a_matter_of_usage(concord) -> None:
    ended = concord("cost", "whatif", "--every", "soon")
    assert ended.code == 2
    assert "--every takes a time like 90s, 15m, 2h, up to 1d; not 'soon'" in ended.err


def test_stopping_after_less_than_an_account_takes_is_refused(concord) -> None:
    assert concord("cost", "whatif", "--suspend", "30").code == 2

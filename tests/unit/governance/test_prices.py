from decimal import Decimal
from pathlib import Path

import pytest

from concord.contracts.warehouse import Size
from concord.errors import Misconfigured
from concord.governance.prices import prices
from concord.settings import PROJECT

FILE = PROJECT / "engines" / "snowflake" / "prices.toml"


def test_the_list_of_the_project_prices_every_size_and_says_how_old_it_is() -> None:
    listed = prices(FILE)
    assert set(listed.credits_per_hour) == set(Size)
    assert listed.as_of.year >= 2025
    assert listed.per_credit == Decimal("3.00")


@pytest.mark.parametrize(
    ("line", "instead", "says"),
    [
        ('per_credit = "3.00"', "", "per_credit is missing"),
        ('per_credit = "3.00"', 'per_credit = "dear"', "per_credit is no amount above 0: 'dear'"),
        ('SMALL = "2"', 'SMALL = "-2"', "SMALL is no amount above 0: '-2'"),
        ("as_of = 2025-06-01", 'as_of = "lately"', "as_of is no date: 'lately'"),
        ("[credits_per_hour]", "[credits", "price list"),
    ],
)
def test_a_wrong_list_is_named_by_its_entry(tmp_path: Path, line: str, instead: str, says: str) -> None:
    file = tmp_path / "prices.toml"
    text = FILE.read_text()
    assert line in text
    file.write_text(
        text.replace(line, instead, 1) if line != 'SMALL = "2"' else text.replace(f"\n{line}", f"\n{instead}", 1)
    )
    with pytest.raises(Misconfigured, match="price list") as refused:
        prices(file)
    assert says in refused.value.message


def test_a_list_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"nowhere\.toml"):
        prices(tmp_path / "nowhere.toml")

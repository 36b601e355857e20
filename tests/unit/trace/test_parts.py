"""Which rows of a mart a row is part of."""

import pytest

from concord.contracts.marts import MARTS
from concord.contracts.tables import TABLES
from concord.trace.parts import PARTS, keys_of


def test_every_mart_says_of_which_tables_rows_it_is_made() -> None:
    assert {*PARTS} == {*MARTS}
    assert {table for part in PARTS.values() for table in part} == {*TABLES}


@pytest.mark.parametrize("name", MARTS)
def test_rows_are_named_by_their_whole_key(name: str) -> None:
    for part in PARTS[name].values():
        statement = keys_of(MARTS[name], part)
        assert statement.startswith(f"select {', '.join(MARTS[name].key)} from MARTS.{name} where ")
        assert "%(key)s" in statement

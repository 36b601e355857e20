"""Which statements exchange tables or schemas."""

import pytest

from concord.standins.snowflake.exchange import Exchange, parse


def test_swap_and_rename_are_told_apart() -> None:
    assert parse("alter table A.t swap with B.t;") == Exchange("A.t", "B.t", is_swap=True, kind="TABLE")
    assert parse("alter dynamic table a rename to b") == Exchange("a", "b", is_swap=False, kind="TABLE")
    assert parse("-- dbt\n ALTER SCHEMA A RENAME TO B\n/* {'app': 'dbt'} */;") == Exchange(
        "A", "B", is_swap=False, kind="SCHEMA"
    )


def test_names_bound_by_the_spark_connector_are_read() -> None:
    wanted = Exchange("A", "B", is_swap=True, kind="TABLE")
    assert parse("alter table identifier(?) swap with identifier(?) ", ["A", "B"]) == wanted
    assert parse("alter table identifier('A') swap with B") == wanted


@pytest.mark.parametrize("sql", ["alter table t rename column a to b", "alter table t add column c number", "select 1"])
def test_other_statement_is_no_exchange(sql: str) -> None:
    assert parse(sql) is None

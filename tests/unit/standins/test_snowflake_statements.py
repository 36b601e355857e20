"""What is changed in a statement before it is parsed."""

import pytest

from concord.standins.snowflake.statements import SUCCESS, rewrite, with_variables


@pytest.mark.parametrize(
    "sql",
    [
        "grant select on all tables in schema RAW to role R",
        "/* dbt */ -- a comment\n GRANT USAGE ON DATABASE D TO ROLE R",
        "create or replace masking policy P as (v string) returns string -> '***'",
        "alter session set timezone = 'UTC'",
        "alter warehouse W suspend",
        "alter table T set data_retention_time_in_days = 3",
        "alter table T add constraint k primary key (id)",
        "alter dynamic table T refresh",
    ],
)
def test_statement_about_what_is_not_there_does_nothing(sql: str) -> None:
    rewritten = rewrite(sql)
    assert rewritten.is_no_operation
    assert rewritten.sql == SUCCESS


@pytest.mark.parametrize(
    "sql",
    [
        "alter session set autocommit = false",
        "alter table T set comment = 'x'",
        "alter table T alter column c set data type varchar(10)",
        "alter table T add column c number",
        "create table grants (i number)",
        "select 'grant'",
    ],
)
def test_other_statement_is_left_alone(sql: str) -> None:
    assert rewrite(sql).sql == sql


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("start transaction", "BEGIN"),
        ("begin transaction name t1;", "BEGIN"),
        ("begin\n/* dbt */", "BEGIN"),
        ("drop dynamic table if exists T", "drop table if exists T"),
        ("drop materialized view V", "drop view V"),
    ],
)
def test_spelling_becomes_one_that_the_parser_knows(sql: str, expected: str) -> None:
    assert " ".join(rewrite(sql).sql.split()).lower() == expected.lower()


def test_temporary_table_is_made_plain_and_remembered() -> None:
    rewritten = rewrite('/* dbt */ create or replace temporary table D.S."x__dbt_tmp" as (select 1)')
    assert "temporary" not in rewritten.sql
    assert rewritten.temporary == 'D.S."x__dbt_tmp"'


def test_variables_are_not_looked_for_in_text() -> None:
    sql = """select $v, '$v', "$v", $$ $v $$, $1, a$v -- $v"""
    assert with_variables(sql, {"V": "5"}) == """select 5, '$v', "$v", $$ $v $$, $1, a$v -- $v"""

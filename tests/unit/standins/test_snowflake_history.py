from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from concord.standins.snowflake.history import COLUMNS, History, kind_of

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
WHERE = {"USER_NAME": "CONCORD", "ROLE_NAME": "LOADER", "WAREHOUSE_NAME": "LOAD_WH", "DATABASE_NAME": "DW"}


def noted(folder: Path, *statements: str) -> list[dict[str, object]]:
    history, connection = History(folder), duckdb.connect()
    history.attach(connection)
    for sql in statements:
        history.note(sql, {"success": True, "data": {"queryId": "q"}}, WHERE, NOON, NOON + timedelta(milliseconds=250))
    found = connection.execute("select * from SNOWFLAKE.ACCOUNT_USAGE.QUERY_HISTORY")
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def test_a_history_in_which_nothing_was_run_is_empty(tmp_path: Path) -> None:
    assert noted(tmp_path) == []


def test_a_statement_is_remembered_with_its_time_and_warehouse_and_without_its_text(tmp_path: Path) -> None:
    (row,) = noted(tmp_path, "select 'ada@example.com', \"a\"")
    assert list(row) == list(COLUMNS)
    assert (row["TOTAL_ELAPSED_TIME"], row["WAREHOUSE_NAME"], row["CLUSTER_NUMBER"]) == (250, "LOAD_WH", 1)
    assert row["START_TIME"] == NOON
    assert row["WAREHOUSE_SIZE"] is None
    assert "ada" not in (tmp_path / "query_history.csv").read_text()


def test_what_an_account_answers_from_metadata_had_no_warehouse(tmp_path: Path) -> None:
    rows = noted(tmp_path, "show tables", "create table t (a int)", "grant x to role y", "begin")
    assert [row["CLUSTER_NUMBER"] for row in rows] == [None] * 4


def test_the_history_outlives_the_server(tmp_path: Path) -> None:
    noted(tmp_path, "select 1")
    assert len(noted(tmp_path, "select 2")) == 2


def test_too_much_history_loses_its_older_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noted(tmp_path, *["select 1"] * 10)
    monkeypatch.setattr("concord.standins.snowflake.history.KEPT_BYTES", 10)
    assert len(noted(tmp_path)) == 5


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("select 1", "SELECT"),
        ("/* dbt */ with a as (select 1) select * from a", "SELECT"),
        ("-- note\n(select 1) union all select 2", "SELECT"),
        ("Insert into t values (1)", "INSERT"),
        ("create or replace transient table t as (select 1)", "CREATE_TABLE_AS_SELECT"),
        ("create table if not exists a.t (a int) as\nselect 1", "CREATE_TABLE_AS_SELECT"),
        ("create table t (as_selected int)", "CREATE"),
        ("create or replace view v as select 1", "CREATE"),
        ("", "UNKNOWN"),
    ],
)
def test_a_statement_is_called_as_an_account_calls_it(sql: str, kind: str) -> None:
    assert kind_of(sql) == kind

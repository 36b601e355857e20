"""What the test of grants holds a statement to: it must be able to find what an account would refuse."""

import pytest

from concord.settings import PROJECT
from tests.warehouse_kinds import kinds
from tests.warehouse_list import ADD_THEM, WRITE, listed, unlisted
from tests.warehouse_record import Sent
from tests.warehouse_rights import lacking

DBT = PROJECT / "dbt_project"


def sent(role: str, sql: str, schema: str = "RAW", client: str = "pipeline") -> Sent:
    return Sent(client, role, schema, sql, succeeded=True)


@pytest.mark.parametrize(
    ("role", "sql", "lacks"),
    [
        ("LOADER", "delete from RAW.orders where id = 1", {"delete on table RAW.ORDERS"}),
        ("LOADER", "delete from dead_letters where _offset in (select _offset from orders)", set()),
        ("LOADER", "create table LOAD_orders (id number)", set()),
        ("LOADER", "drop table RAW.orders", {"ownership on table RAW.ORDERS"}),
        ("LOADER", "drop table if exists RAW.LOAD_users", set()),
        ("LOADER", "copy into orders from @stage file_format = (type = csv)", set()),
        (
            "LOADER",
            "merge into RAW.orders as t using RAW.LOAD_orders as s on t.id = s.id when matched then update set id = 1",
            {"update on table RAW.ORDERS"},
        ),
        (
            "LOADER",
            "insert into RAW.orders with m as (select 1 as id) select m.id from m, MARTS.funnel",
            {"select on table MARTS.FUNNEL", "usage on schema MARTS"},
        ),
        ("TRANSFORMER", "create table if not exists RAW.orders (id number)", {"create table on schema RAW"}),
        ("TRANSFORMER", "alter table RAW.orders add column x string", {"ownership on table RAW.ORDERS"}),
        ("TRANSFORMER", "create table STAGING.more (id number)", {"create table on schema STAGING"}),
        ("TRANSFORMER", "create or replace temporary table QUALITY.checked as select * from STAGING.sessions", set()),
        ("TRANSFORMER", "update STAGING.sessions set events = 1", {"update on table STAGING.SESSIONS"}),
        ("TRANSFORMER", "delete from MARTS.funnel", set()),
        ("TRANSFORMER", "insert into RAW.events select * from STAGING.sessions", {"insert on table RAW.EVENTS"}),
        ("REPORTER", "select * from MARTS.funnel", set()),
        (
            "REPORTER",
            "select * from STAGING.sessions",
            {"select on table STAGING.SESSIONS", "usage on schema STAGING"},
        ),
        ("ACCOUNTADMIN", "drop table RAW.orders", set()),
    ],
)
def test_what_a_role_lacks_for_a_statement(role: str, sql: str, lacks: set[str]) -> None:
    assert set(lacking([sent(role, sql)])) == {f"{role}: {need}" for need in lacks}


def test_what_a_role_has_made_it_may_change_and_others_may_not() -> None:
    made = [
        sent("TRANSFORMER", "create schema if not exists STAGING_SHADOW"),
        sent("TRANSFORMER", "create or replace table STAGING_SHADOW.sessions as select 1 as id"),
        sent("TRANSFORMER", "delete from STAGING_SHADOW.sessions where id = 1"),
        sent("LOADER", "create table LOAD_orders_staging (id number)"),
        sent("LOADER", "alter table LOAD_orders_staging rename to LOAD_orders"),
        sent("LOADER", "drop table LOAD_orders"),
    ]
    assert lacking(made) == {}
    alien = lacking([*made, sent("LOADER", "drop table if exists STAGING_SHADOW.sessions cascade")])
    assert {*alien} == {
        "LOADER: ownership on table STAGING_SHADOW.SESSIONS",
        "LOADER: usage on schema STAGING_SHADOW",
    }


def kind(sql: str, client: str = "pipeline") -> list[str]:
    return [*kinds(sent("LOADER", sql, client=client))]


@pytest.mark.parametrize(
    ("sql", "kinds_of_it"),
    [
        ("with a as (select id from RAW.users where id in (1, 2)) select * from a", ["select from RAW.{table}"]),
        ("select current_role(), 7", ["select current_role(), ?"]),
        (
            "delete from STAGING.orders_enhanced where (id) in (select id from STAGING_SHADOW.unpublished_orders_enhanced)",
            ["delete from STAGING.{published} reading STAGING_SHADOW.unpublished_{published}"],
        ),
        (
            "merge into dead_letters as t using RAW.LOAD_orders as s on t.id = s.id when matched then update set id = 1",
            ["merge into RAW.dead_letters reading RAW.LOAD_{table}"],
        ),
        (
            "create or replace temporary table QUALITY.checked_users as select * from RAW.users",
            ["create or replace temporary table QUALITY.checked_{dataset} reading RAW.{table}"],
        ),
        ("alter table MARTS.funnel add column x string", ["alter table MARTS.{published} add column"]),
        ("alter table load_users_staging_12 rename to load_users", ["alter table RAW.LOAD_{table}_staging rename to RAW.LOAD_{table}"]),
        ("grant select on table RAW.publications to role REPORTER", ["grant {privileges} on table {name} to role {role}"]),
        (
            "grant select on future tables in schema RAW to role LOADER",
            ["grant {privileges} on future tables in schema {name} to role {role}"],
        ),
        (
            "alter warehouse LOAD_WH set warehouse_size = 'MEDIUM' auto_suspend = 60",
            ["alter warehouse {warehouse} set warehouse_size = ? auto_suspend = ?"],
        ),
    ],
)  # fmt: skip
def test_the_kind_of_a_statement_is_what_it_does_to_which_tables(sql: str, kinds_of_it: list[str]) -> None:
    assert kind(sql) == kinds_of_it


def test_of_dbt_how_a_model_is_built_is_one_kind_and_its_query_another() -> None:
    told = '/* {"app": "dbt", "node_id": "model.concord.stg_orders"} */'
    assert kind(f"create or replace table ECOMMERCE_DW.A_SHADOW.stg_orders as (select 1 as id) {told}", "dbt") == [
        "create or replace table A_SHADOW.{model} {query}",
        "{query} of model stg_orders",
    ]


def test_dbt_tests_of_one_kind_are_one() -> None:
    told = '/* {"app": "dbt", "node_id": "test.concord.in_range_mart_funnel_rate.0a1b2c3d4e"} */'
    assert kind(f"select 1 as failures {told}", "dbt") == ["{query} of test in_range"]


def test_a_kind_that_is_not_listed_is_told_as_the_line_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(WRITE, raising=False)
    assert unlisted([sent("LOADER", "begin"), sent("LOADER", "update RAW.orders set id = 1 where id = 2")]) == [
        "LOADER\tpipeline\tupdate RAW.{table}\truns\tno"
    ]


def test_the_list_names_the_models_and_the_projects_own_tests() -> None:
    there = {kind: {path.stem for path in (DBT / f"{kind}s").rglob("*.sql")} for kind in ("model", "test")}
    queries = [kind.split()[2:] for _, _, kind in listed() if kind.startswith("{query} of ")]
    named = {kind: {name for of, name in queries if of == kind} for kind in there}
    assert named["model"] == there["model"], ADD_THEM
    assert there["test"] - named["test"] == set(), ADD_THEM

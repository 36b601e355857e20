"""Who may do what in the warehouse, and what of a person others see."""

import re

from concord.contracts.warehouse import MARTS, RAW, WAREHOUSES, Role
from concord.dialects.snowflake import TABLES_BY_SCHEMA, account

GRANTS = account.grants()


def granted(role: Role, where: str = "") -> str:
    return "\n".join(grant for grant in GRANTS if grant.endswith(f" to role {role}") and where in grant)


def test_each_warehouse_serves_one_role_stops_by_itself_and_is_watched() -> None:
    statements = account.roles_and_warehouses()
    for each in WAREHOUSES:
        (altered,) = [one for one in statements if one.startswith(f"alter warehouse {each.name} set")]
        for property in (f"'{each.size}'", "auto_suspend = 300", "auto_resume = true", "CONCORD_MONTHLY"):
            assert property in altered
        users = [one for one in statements if one.startswith(f"grant usage on warehouse {each.name} ")]
        assert users == [f"grant usage on warehouse {each.name} to role {each.role}"]


def test_every_statement_can_be_repeated() -> None:
    made = [one for one in [*account.roles_and_warehouses(), *account.protection()] if one.startswith("create")]
    assert made
    assert all(" if not exists " in one for one in made)


def test_a_reader_only_reads_and_never_raw() -> None:
    allowed = set(re.findall(r"^grant (.+?) on ", granted(Role.REPORTER), re.MULTILINE))
    assert allowed == {"usage", "select", "select, insert"}
    assert granted(Role.REPORTER, f"in schema {RAW} ") == ""
    assert "insert" not in granted(Role.REPORTER, MARTS)
    assert granted(Role.REPORTER, "insert").count("\n") == 0, "the audit trail alone"


def test_the_loader_adds_to_raw_and_sees_no_mart() -> None:
    assert f"grant select, insert on future tables in schema {RAW} to role LOADER" in GRANTS
    assert granted(Role.LOADER, MARTS) == ""


def test_nobody_may_change_the_trail_or_what_is_in_raw_but_dead_letters_that_are_rows_now() -> None:
    named = re.compile(rf" on (?:.* in schema (AUDIT|{RAW}) |table (AUDIT|{RAW})\.)")
    changing = re.compile("update|delete|truncate|all priv|ownership")
    taken = [one for one in GRANTS if named.search(one) and changing.search(one)]
    assert taken == [f"grant delete on table {RAW}.dead_letters to role LOADER"]


def test_nobody_makes_tables_where_the_set_up_owns_them_but_load_tables() -> None:
    making = {one for one in GRANTS if "create table" in one}
    assert making == {
        f"grant create table, create stage on schema {RAW} to role LOADER",
        "grant create table, create stage on schema QUALITY to role TRANSFORMER",
    }


def test_what_will_be_there_is_granted_like_what_is() -> None:
    existing = {one for one in GRANTS if " on all tables in schema " in one and "AUDIT" not in one}
    assert {one.replace("on all tables", "on future tables") for one in existing} <= set(GRANTS)


def test_every_personal_column_of_the_warehouse_bears_its_tag() -> None:
    tagged = set(
        re.findall(r"alter table (\S+) modify column (\S+) set tag \S+ = '(\w+)'", "\n".join(account.protection()))
    )
    assert tagged == {
        (f"{schema}.{dataset.name}", column.name, str(column.personal))
        for schema, datasets in TABLES_BY_SCHEMA.items()
        for dataset in datasets
        for column in dataset.columns
        if column.personal
    }
    assert ("MARTS.customer_analytics", "email", "email") in tagged


def test_the_mask_is_on_the_tag_before_a_column_bears_it() -> None:
    statements = account.protection()
    attached = next(place for place, one in enumerate(statements) if "set masking policy" in one)
    assert all(place > attached for place, one in enumerate(statements) if "modify column" in one)


def test_who_writes_a_column_sees_it() -> None:
    (mask,) = [one for one in account.protection() if "set body" in one]
    for role in (Role.LOADER, Role.TRANSFORMER):
        assert f"is_role_in_session('{role}')" in mask
    assert "REPORTER" not in mask

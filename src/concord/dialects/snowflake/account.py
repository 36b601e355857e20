"""Snowflake: what an administrator sets up: roles, warehouses, grants, and how persons are hidden.

Statements can be repeated, and a repetition brings what is there to what is declared. A local engine
takes most of them and does nothing; `docs/standins.md` says which.
"""

from collections.abc import Iterator

from concord.contracts import warehouse
from concord.contracts.audit import AUDIT_SCHEMA
from concord.contracts.derived import MODEL_BUILDS, PUBLICATIONS, RAW_DEAD_LETTERS
from concord.contracts.expectations import QUALITY_SCHEMA
from concord.contracts.personal import Personal
from concord.contracts.warehouse import DATABASE, GOVERNANCE, MARTS, MONITOR, RAW, STAGING, Role, Warehouse
from concord.dialects.snowflake import TABLES_BY_SCHEMA

TAG = f"{GOVERNANCE}.personal"
PURPOSE = f"{GOVERNANCE}.purpose"
MASK = f"{GOVERNANCE}.mask_personal_text"


def roles_and_warehouses() -> list[str]:
    """Before anything else."""
    return [*_roles(), *_monitor(), *(statement for each in warehouse.WAREHOUSES for statement in _warehouse(each))]


def _roles() -> Iterator[str]:
    for role, duty in warehouse.DUTIES.items():
        yield f"create role if not exists {role} comment = '{duty}'"
        yield f"grant role {role} to role SYSADMIN"


def _monitor() -> Iterator[str]:
    name, quota = MONITOR.name, f"credit_quota = {MONITOR.credits_per_month}"
    yield (
        f"create resource monitor if not exists {name} with {quota}\n"
        "    frequency = monthly\n    start_timestamp = immediately"
    )
    yield (
        f"alter resource monitor {name} set {quota}\n    triggers\n        on {MONITOR.notify} percent do notify\n"
        f"        on {MONITOR.suspend} percent do suspend\n        on {MONITOR.stop} percent do suspend_immediate"
    )


def _warehouse(each: Warehouse) -> Iterator[str]:
    lasting = (
        f"    warehouse_size = '{each.size}'\n    auto_suspend = {warehouse.SUSPEND_SECONDS}\n    auto_resume = true"
    )
    yield f"create warehouse if not exists {each.name}\n{lasting}\n    initially_suspended = true"
    yield f"alter warehouse {each.name} set\n{lasting}\n    resource_monitor = {MONITOR.name}"
    yield f"grant usage on warehouse {each.name} to role {each.role}"


def set_suspend(seconds: int) -> list[str]:
    """Another time than the declared one, on every warehouse."""
    return [f"alter warehouse {each.name} set auto_suspend = {seconds}" for each in warehouse.WAREHOUSES]


def grant_roles(user: str) -> list[str]:
    """The pipeline's own user does one duty after the other."""
    return [f'grant role {role} to user "{user.upper()}"' for role in Role]


def grants() -> list[str]:
    """Once the tables are there: who may do what in which schema, to what is there and to what will be."""
    return [*_of_everybody(), *_of_loader(), *_of_transformer(), *_of_reporter(), *_of_audit()]


def _of_everybody() -> Iterator[str]:
    for role in Role:
        yield f"grant usage on database {DATABASE} to role {role}"
        yield f"grant usage on schema {RAW} to role {role}"


def _of_loader() -> Iterator[str]:
    """Load tables come and go; what is in RAW is added to and never changed. A dead letter goes once its row is there."""
    yield f"grant create table, create stage on schema {RAW} to role {Role.LOADER}"
    yield from _on_tables("select, insert", RAW, Role.LOADER)
    yield f"grant delete on table {RAW}.{RAW_DEAD_LETTERS.name} to role {Role.LOADER}"


def _of_transformer() -> Iterator[str]:
    """The models' working copies lie in schemas of its own; what is found at the lake comes by a load table of QUALITY."""
    yield f"grant create schema on database {DATABASE} to role {Role.TRANSFORMER}"
    yield from _on_tables("select", RAW, Role.TRANSFORMER)
    for bookkeeping in (PUBLICATIONS, MODEL_BUILDS):
        yield f"grant insert on table {RAW}.{bookkeeping.name} to role {Role.TRANSFORMER}"
    yield f"grant create table, create stage on schema {QUALITY_SCHEMA} to role {Role.TRANSFORMER}"
    for schema in (STAGING, MARTS, QUALITY_SCHEMA):
        yield f"grant usage on schema {schema} to role {Role.TRANSFORMER}"
        yield from _on_tables("select, insert, delete", schema, Role.TRANSFORMER)
    yield f"grant select on all views in schema {QUALITY_SCHEMA} to role {Role.TRANSFORMER}"
    yield f"grant database role SNOWFLAKE.GOVERNANCE_VIEWER to role {Role.TRANSFORMER}"


def _of_reporter() -> Iterator[str]:
    for schema in (MARTS, QUALITY_SCHEMA):
        yield f"grant usage on schema {schema} to role {Role.REPORTER}"
        yield from _on_tables("select", schema, Role.REPORTER)
    yield f"grant select on all views in schema {QUALITY_SCHEMA} to role {Role.REPORTER}"
    yield f"grant select on table {RAW}.{PUBLICATIONS.name} to role {Role.REPORTER}"


def _of_audit() -> Iterator[str]:
    """Everybody may add to the trail, and nobody may change what is in it."""
    for role in Role:
        yield f"grant usage on schema {AUDIT_SCHEMA} to role {role}"
        yield f"grant select, insert on all tables in schema {AUDIT_SCHEMA} to role {role}"


def _on_tables(what: str, schema: str, role: Role) -> Iterator[str]:
    yield f"grant {what} on all tables in schema {schema} to role {role}"
    yield f"grant {what} on future tables in schema {schema} to role {role}"


def protection() -> list[str]:
    """Personal columns bear a tag, and the tag bears the mask: a column is masked from the moment it is tagged."""
    kinds = ", ".join(f"'{kind}'" for kind in Personal)
    purposes = ", ".join(f"'{each.purpose}'" for each in warehouse.WAREHOUSES)
    return [
        f"create schema if not exists {GOVERNANCE}",
        f"create tag if not exists {TAG} allowed_values {kinds}",
        f"create masking policy if not exists {MASK} as (value string) returns string -> '***'",
        f"alter masking policy {MASK} set body ->\n{_mask()}",
        f"alter tag {TAG} set masking policy {MASK} force",
        *_tagged_columns(),
        f"create tag if not exists {PURPOSE} allowed_values {purposes}",
        *(f"alter warehouse {each.name} set tag {PURPOSE} = '{each.purpose}'" for each in warehouse.WAREHOUSES),
    ]


def _mask() -> str:
    may_see = " or ".join(f"is_role_in_session('{role}')" for role in warehouse.SEES_PERSONS)
    kind = f"system$get_tag_on_current_column('{DATABASE}.{TAG}')"
    return (
        f"    case\n        when {may_see} then value\n"
        f"        when {kind} = '{Personal.EMAIL}' then regexp_replace(value, '^[^@]*', '***')\n"
        f"        when {kind} = '{Personal.DEVICE}' then sha2(value)\n"
        "        when value is not null then '***'\n    end"
    )


def _tagged_columns() -> Iterator[str]:
    for schema, datasets in TABLES_BY_SCHEMA.items():
        for dataset in datasets:
            for column in dataset.columns:
                if column.personal:
                    yield f"alter table {schema}.{dataset.name} modify column {column.name} set tag {TAG} = '{column.personal}'"

"""``concord sql STORE STATEMENT``: one statement against one store."""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

import typer

from concord import bootstrap
from concord.cli.audited import Noted, audited, identity_of
from concord.cli.output import AsJson, console, print_json, table
from concord.contracts.audit import Action
from concord.governance.entry import digest
from concord.serving import lake_sql
from concord.settings import Settings, load_settings


class Store(StrEnum):
    POSTGRES = "postgres"
    SPEED = "speed"
    LAKE = "lake"
    WAREHOUSE = "warehouse"


def sql(
    store: Annotated[
        Store, typer.Argument(help="Which store: the source, the speed layer, the lake or the warehouse.")
    ],
    statement: Annotated[str, typer.Argument(help="One SQL statement in that engine's dialect.")],
    as_json: AsJson = False,
) -> None:
    """Run one statement against one store and print what it answers."""
    settings = load_settings()
    with audited(settings, Action.READ, "sql", store=str(store), statement_sha256=digest(statement)) as noted:
        names, rows = READERS[store](settings, statement, noted)
        noted.note(rows_out=len(rows))
    if as_json:
        print_json([dict(zip(names, row, strict=True)) for row in rows])
    else:
        console.print(table(f"{len(rows):,} rows", names, rows))


Answer = tuple[list[str], list[tuple[object, ...]]]


def _postgres(settings: Settings, statement: str, noted: Noted) -> Answer:
    postgres = bootstrap.postgres(settings)
    noted.note(identity=postgres.user)
    return postgres.answer(statement)


def _speed(settings: Settings, statement: str, noted: Noted) -> Answer:
    clickhouse = bootstrap.clickhouse(settings, user="reader")
    noted.note(identity=clickhouse.user, read_at=clickhouse.position().as_json())
    return clickhouse.answer(statement)


def _lake(settings: Settings, statement: str, noted: Noted) -> Answer:
    lake = bootstrap.lake(settings)
    noted.note(
        identity=lake.identity, read_at={name: lake.current_snapshot(name) for name in lake_sql.tables_of(statement)}
    )
    return lake_sql.answer(lake, statement)


def _warehouse(settings: Settings, statement: str, noted: Noted) -> Answer:
    with bootstrap.snowflake(settings) as warehouse:
        newest = warehouse.publication()
        noted.note(identity=identity_of(warehouse), batch_id=newest.batch_id if newest else None)
        return warehouse.answer(statement)


READERS: dict[Store, Callable[[Settings, str, Noted], Answer]] = {
    Store.POSTGRES: _postgres,
    Store.SPEED: _speed,
    Store.LAKE: _lake,
    Store.WAREHOUSE: _warehouse,
}

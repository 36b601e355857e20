"""``concord sql STORE STATEMENT``: one statement against one store."""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

import typer

from concord import bootstrap
from concord.cli.output import AsJson, console, print_json, table
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
    names, rows = READERS[store](load_settings(), statement)
    if as_json:
        print_json([dict(zip(names, row, strict=True)) for row in rows])
    else:
        console.print(table(f"{len(rows):,} rows", names, rows))


Answer = tuple[list[str], list[tuple[object, ...]]]


def _postgres(settings: Settings, statement: str) -> Answer:
    return bootstrap.postgres(settings).answer(statement)


def _speed(settings: Settings, statement: str) -> Answer:
    return bootstrap.clickhouse(settings, user="reader").answer(statement)


def _lake(settings: Settings, statement: str) -> Answer:
    return lake_sql.answer(bootstrap.lake(settings), statement)


def _warehouse(settings: Settings, statement: str) -> Answer:
    return bootstrap.snowflake(settings).answer(statement)


READERS: dict[Store, Callable[[Settings, str], Answer]] = {
    Store.POSTGRES: _postgres,
    Store.SPEED: _speed,
    Store.LAKE: _lake,
    Store.WAREHOUSE: _warehouse,
}

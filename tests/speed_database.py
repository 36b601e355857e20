"""A database of a test's own in the running ClickHouse, with every table of the speed layer."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from concord import bootstrap
from concord.contracts.names import SPEED_DATABASE
from concord.gateways.clickhouse import ClickHouse, statements
from concord.settings import PROJECT, Settings


@contextmanager
def speed_database(settings: Settings) -> Iterator[ClickHouse]:
    """As the administrator, who alone may make one; it is dropped at the end."""
    admin = bootstrap.clickhouse(settings, user="admin")
    name = f"test_{uuid.uuid4().hex}"
    admin.command(f"create database {name}")
    try:
        own = replace(admin, database=name)
        for statement in definitions():
            own.command(statement.replace(f"{SPEED_DATABASE}.", f"{name}."))
        yield own
    finally:
        admin.command(f"drop database {name} sync")


def definitions() -> Iterator[str]:
    """What provisioning runs, but for the database itself."""
    for path in sorted((PROJECT / "engines" / "clickhouse").glob("[1-9]*.sql")):
        yield from statements(path.read_text())

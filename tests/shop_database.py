"""A shop of a test's own on the running PostgreSQL: same roles, same tables, dropped at the end."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from concord import bootstrap
from concord.contracts.names import OWNER_ROLE
from concord.gateways.postgres import Postgres
from concord.settings import PROJECT, Settings

TABLES_SQL = PROJECT / "engines" / "postgres" / "10_tables.sql"


@contextmanager
def own_shop(settings: Settings) -> Iterator[Postgres]:
    """An empty shop, as its owner."""
    name = f"shop_test_{uuid4().hex[:12]}"
    server = bootstrap.postgres(settings, role="postgres", database="postgres")
    server.execute(f"create database {name} owner {OWNER_ROLE}")
    try:
        bootstrap.postgres(settings, role="postgres", database=name).run_file(TABLES_SQL)
        yield bootstrap.postgres(settings, database=name)
    finally:
        server.execute(f"drop database {name} with (force)")

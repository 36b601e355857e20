"""A warehouse of a test's own: the stand-in with RAW filled from a history, and dbt beside it. No Kafka, no Spark."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from concord.batch.build import Built, Dbt
from concord.batch.models import PUBLISHED, bring_up
from concord.batch.publish import publish
from concord.contracts.events import RAW_EVENTS
from concord.contracts.model import Dataset
from concord.contracts.position import Position, Publication
from concord.contracts.tables import TABLES, as_raw
from concord.gateways.snowflake import Snowflake
from concord.settings import PROJECT, child_environment
from tests.conformance.snowflake.server import DATABASE, Server
from tests.factories import EPOCH
from tests.shop_history import ShopHistory

ENGINE_FILES = sorted((PROJECT / "engines" / "snowflake").glob("*.sql"))
CHUNK = 2000
RAW = {**{name: as_raw(table) for name, table in TABLES.items()}, RAW_EVENTS.name: RAW_EVENTS}


@dataclass
class WarehouseCopy:
    """What one history has loaded, built and published."""

    client: Snowflake
    dbt: Dbt
    loaded: Position
    batches: int = 0

    def load(self, history: ShopHistory) -> None:
        """Everything of the history that RAW does not hold yet."""
        for name, rows in history.above(self.loaded).items():
            raw = RAW[name]
            more = {"loaded_at": EPOCH, "batch_id": f"b{self.batches}", "file_name": None}
            values = [tuple(_bound({**row, **more}[column]) for column in raw.names) for row in rows]
            insert = (
                f"insert into RAW.{raw.name} ({', '.join(raw.names)}) values ({', '.join(['%s'] * len(raw.names))})"
            )
            for first in range(0, len(values), CHUNK):
                self.client.execute_many(insert, values[first : first + CHUNK])
        self.loaded = history.position()

    def build(self, history: ShopHistory) -> Built:
        self.load(history)
        return bring_up(self.client, self.dbt, history.as_of(), history.position())

    def publish(self, history: ShopHistory) -> None:
        self.batches += 1
        publish(self.client, Publication(f"b{self.batches}", history.position(), history.as_of(), history.as_of()))

    def batch(self, history: ShopHistory) -> Built:
        """One batch: load, build, publish."""
        built = self.build(history)
        self.publish(history)
        return built

    def published(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row that readers see, by dataset, in the order of their keys."""
        return {dataset.name: self.rows(schema, dataset) for schema, dataset in PUBLISHED}

    def rows(self, schema: str, dataset: Dataset) -> list[tuple[Any, ...]]:
        columns, key = ", ".join(dataset.names), ", ".join(dataset.key)
        return self.client.query(f"select {columns} from {schema}.{dataset.name} order by {key}")


@contextmanager
def warehouse_copy(folder: Path) -> Iterator[WarehouseCopy]:
    """A running stand-in with the set-up files applied."""
    with Server(folder / "data") as server, server.client() as client:
        for file in ENGINE_FILES:
            client.run_file(file)
        yield WarehouseCopy(client, dbt_beside(server, folder), Position())


def dbt_beside(server: Server, folder: Path) -> Dbt:
    environment = child_environment(
        CONCORD_DBT_ACCOUNT="concord",
        CONCORD_DBT_HOST="127.0.0.1",
        CONCORD_DBT_PORT=str(server.port),
        CONCORD_DBT_PROTOCOL="http",
        CONCORD_DBT_USER="CONCORD",
        CONCORD_DBT_DATABASE=DATABASE,
        CONCORD_DBT_WAREHOUSE="COMPUTE_WH",
        CONCORD_DBT_ROLE="TRANSFORMER",
        DBT_ENV_SECRET_CONCORD_PASSWORD="not asked for",
    )
    return Dbt(PROJECT / "dbt_project", folder / "dbt", environment)


def _bound(value: Any) -> Any:
    """As the driver takes it: without a zone, and without an enumeration."""
    match value:
        case datetime():
            return value.replace(tzinfo=None)
        case str():
            return str(value)
        case _:
            return value

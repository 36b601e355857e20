"""What a publication knows of customers and products goes to the speed layer, which enriches events with it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa

from concord.contracts.enrichment import CATALOGUE, DEFAULT_TIER, ENRICHMENTS, USER_TIERS
from concord.contracts.model import Dataset
from concord.contracts.position import Publication
from concord.dialects.arrow import arrow_schema
from concord.gateways.clickhouse import ClickHouse
from concord.gateways.snowflake import Snowflake

KEPT = 20
"""Publications that the speed layer keeps: an open micro-batch may still need an older one."""

TIERS_QUERY = (
    "select id as user_id, customer_tier from STAGING.USERS_ENHANCED "
    f"where customer_tier <> '{DEFAULT_TIER}' order by id"
)
CATALOGUE_QUERY = (
    "select id as product_id, category as product_category, price as product_price "
    "from STAGING.PRODUCTS_ENHANCED order by id"
)


def hand_over(warehouse: Snowflake, speed: ClickHouse, published: list[Publication], now: datetime) -> int | None:
    """Give the speed layer the newest publication, if it has not got it; its number, None if there is nothing to do.

    Every insert bears the publication's name, and the row that makes it count comes last: broken off and
    run again, it changes nothing.
    """
    number = len(published)
    if not published or _is_held(speed, number):
        return None
    tiers = _rows(warehouse, TIERS_QUERY, USER_TIERS, number)
    catalogue = _rows(warehouse, CATALOGUE_QUERY, CATALOGUE, number)
    batch_id = published[-1].batch_id
    _insert(speed, USER_TIERS, tiers, batch_id)
    _insert(speed, CATALOGUE, catalogue, batch_id)
    mark = {"publication": number, "batch_id": batch_id, "written_at": now}
    counts = {"users": tiers.num_rows, "products": catalogue.num_rows}
    _insert(speed, ENRICHMENTS, pa.Table.from_pylist([{**mark, **counts}], schema=arrow_schema(ENRICHMENTS)), batch_id)
    _forget(speed, number - KEPT)
    return number


def _is_held(speed: ClickHouse, number: int) -> bool:
    query = f"select count() from {ENRICHMENTS.name} where publication = {{number:Int64}}"
    return bool(speed.query(query, {"number": number})[0][0])


def _rows(warehouse: Snowflake, query: str, dataset: Dataset, number: int) -> pa.Table:
    rows = [_row(row, number) for row in warehouse.records(query)]
    return pa.Table.from_pylist(rows, schema=arrow_schema(dataset))


def _row(row: Mapping[str, Any], number: int) -> dict[str, Any]:
    return {"publication": number, **{name.lower(): value for name, value in row.items()}}


def _insert(speed: ClickHouse, dataset: Dataset, rows: pa.Table, batch_id: str) -> None:
    speed.insert_arrow(dataset.name, rows, f"{dataset.name}|{batch_id}")


def _forget(speed: ClickHouse, oldest: int) -> None:
    for dataset in (USER_TIERS, CATALOGUE):
        partitions = speed.query(
            "select distinct partition from system.parts where active and database = currentDatabase() "
            "and table = {table:String} and toInt64(partition) <= {oldest:Int64}",
            {"table": dataset.name, "oldest": oldest},
        )
        for (partition,) in partitions:
            speed.command(f"alter table {dataset.name} drop partition {int(partition)}")

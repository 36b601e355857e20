"""Tier, category and price are added to events, from the publication that the micro-batch pinned."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from concord.contracts.behaviour import ENRICHED_EVENTS
from concord.contracts.enrichment import CATALOGUE, DEFAULT_TIER, ENRICHMENT_PINS, ENRICHMENTS, USER_TIERS
from concord.dialects.arrow import arrow_schema
from concord.errors import Misconfigured
from concord.gateways.clickhouse import ClickHouse
from concord.speed.batch_token import BatchToken

NO_PUBLICATION = 0


@dataclass(frozen=True)
class Enrichment:
    """One publication: ``tiers`` of users above the lowest tier, ``catalogue`` of products."""

    tiers: pa.Table
    catalogue: pa.Table

    def applied(self, events: pa.Table) -> pa.Table:
        """Rows of ``events`` as the speed layer holds them. What a producer sent wins over the catalogue."""
        row = pc.index_in(events["product_id"], value_set=_values(self.catalogue, "product_id"))
        category = pc.coalesce(events["category"], pc.take(self.catalogue["product_category"], row))
        price = pc.coalesce(events["price"], pc.take(self.catalogue["product_price"], row))
        added = (("customer_tier", self._tier(events)), ("product_category", category), ("product_price", price))
        for name, values in added:
            events = events.append_column(name, values)
        return events.select(ENRICHED_EVENTS.names)

    def _tier(self, events: pa.Table) -> Any:
        row = pc.index_in(events["user_id"], value_set=_values(self.tiers, "user_id"))
        tier = pc.coalesce(pc.take(self.tiers["customer_tier"], row), pa.scalar(DEFAULT_TIER))
        return pc.if_else(pc.is_valid(events["user_id"]), tier, pa.scalar(None, pa.string()))


def pinned(store: ClickHouse, token: BatchToken, now: datetime) -> int:
    """The publication that this micro-batch applies: the newest at its first attempt, the same ever after."""
    held = store.query(
        f"select publication from {ENRICHMENT_PINS.name} where query = {{query:String}} and batch_id = {{id:Int64}}",
        {"query": token.query, "id": token.batch_id},
    )
    if held:
        return int(held[0][0])
    newest = int(store.query(f"select max(publication) from {ENRICHMENTS.name}")[0][0])
    pin = {"query": token.query, "batch_id": token.batch_id, "publication": newest, "written_at": now}
    row = pa.Table.from_pylist([pin], schema=arrow_schema(ENRICHMENT_PINS))
    store.insert_arrow(ENRICHMENT_PINS.name, row, token.of(ENRICHMENT_PINS.name, {}))
    return newest


@lru_cache(maxsize=2)
def enrichment(store: ClickHouse, publication: int) -> Enrichment:
    """A publication, kept in memory. Raises :class:`Misconfigured` if it was removed meanwhile."""
    if publication != NO_PUBLICATION and not _rows(store, ENRICHMENTS.name, "publication", publication).num_rows:
        raise Misconfigured(
            f"publication {publication} of tiers and catalogue is gone, and an open micro-batch needs it",
            "it was removed before its time: `concord reset`, or restore the table enrichments",
        )
    tiers = _rows(store, USER_TIERS.name, "user_id, customer_tier", publication)
    catalogue = _rows(store, CATALOGUE.name, "product_id, product_category, product_price", publication)
    return Enrichment(tiers, catalogue)


def _rows(store: ClickHouse, table: str, columns: str, publication: int) -> pa.Table:
    return store.query_arrow(
        f"select {columns} from {table} where publication = {{publication:Int64}}", {"publication": publication}
    )


def _values(table: pa.Table, column: str) -> Any:
    return table[column].combine_chunks()

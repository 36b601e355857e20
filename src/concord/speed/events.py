"""A micro-batch of events goes to rest: valid ones once per id, invalid ones as dead letters."""

from dataclasses import dataclass

import pyarrow as pa

from concord.contracts.derived import DEAD_LETTERS
from concord.contracts.events import EVENTS
from concord.gateways.clickhouse import ClickHouse
from concord.speed.batch_token import BatchToken
from concord.speed.dead_letters import publish
from concord.speed.settle import originals, settle
from concord.speed.tally import Fates, Tally, offset_ranges

KNOWN_IDS = (
    f"select toString(event_id) as event_id, _topic, _partition, _offset from {EVENTS.name} "
    "where event_id in (select toUUID(event_id) from batch_ids)"
)
"""Event ids of this micro-batch that the store has, with the position they came from."""


@dataclass(frozen=True)
class StoreEvents:
    """One attempt at one micro-batch. Runs in a Spark worker; every attempt leaves the same rows."""

    store: ClickHouse
    bootstrap: str
    dead_letter_topic: str
    token: BatchToken

    def __call__(self, records: pa.Table) -> list[Tally]:
        ranges = offset_ranges(records)
        settled = settle(records)
        kept = originals(settled.events, self._known(settled.events), ranges)
        self.store.insert_arrow(DEAD_LETTERS.name, settled.dead, self.token.of(DEAD_LETTERS.name, ranges))
        publish(self.bootstrap, self.dead_letter_topic, settled.dead)
        self.store.insert_arrow(EVENTS.name, kept.events, self.token.of(EVENTS.name, ranges))
        return Fates(records, [kept.events], settled.dead, kept.copies).tallies()

    def _known(self, events: pa.Table) -> pa.Table:
        return self.store.query_arrow(KNOWN_IDS, given={"batch_ids": events.select(["event_id"])})

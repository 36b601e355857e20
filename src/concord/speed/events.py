"""A micro-batch of events goes to rest: valid ones once per id, late ones apart, invalid ones as dead letters."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from concord.contracts.behaviour import LATE_EVENTS
from concord.contracts.derived import DEAD_LETTERS
from concord.contracts.events import EVENTS
from concord.contracts.model import Dataset
from concord.gateways.clickhouse import ClickHouse
from concord.speed.batch_token import BatchToken
from concord.speed.copies import known, originals
from concord.speed.dead_letters import publish
from concord.speed.enrich import enrichment, pinned
from concord.speed.failpoint import Failpoint, Step
from concord.speed.lateness import bound_after, is_late
from concord.speed.quality import Fate, KindCount, dead_kinds, kinds_of
from concord.speed.records import BATCH_AT
from concord.speed.sessions.keep import Ranges, StoreSessions
from concord.speed.settle import Settled, settled, together
from concord.speed.tally import Done, Fates, offset_ranges


@dataclass(frozen=True)
class StoreEvents:
    """One attempt at one micro-batch. Runs in a Spark worker; every attempt leaves the same rows.

    While ClickHouse takes the events in, sessions are computed from them; they are written when the events are at rest.
    """

    store: ClickHouse
    bootstrap: str
    dead_letter_topic: str
    token: BatchToken
    failpoint: Failpoint = field(default_factory=Failpoint)

    def begin(self, records: pa.Table) -> Settled:
        """The last word on some of the records."""
        return settled(records)

    def finish(self, records: pa.Table, begun: Sequence[Settled]) -> Done:
        """All of the micro-batch to rest."""
        ranges = offset_ranges(records)
        began, whole = _began(records), together(begun)
        events = self._enriched(whole.events, began)
        late = events.filter(is_late(events))
        kept = originals(events, known(self.store, events, late), ranges)
        timely, kept_late = apart(kept.events)
        bound = bound_after(records)
        with ThreadPoolExecutor(1) as aside:
            stored = aside.submit(self._put_to_rest, whole.dead, kept_late, timely, ranges)
            sessions = StoreSessions(self.store, self.token, self.failpoint, stored.result)
            measures = sessions(timely, bound, ranges, began)
            stored.result()
        fates = Fates(records, [timely], whole.dead, kept.copies, late=kept_late, bound=bound)
        return Done(fates.tallies(), measures, kinds(timely, kept_late, kept.copies, whole.dead))

    def _put_to_rest(self, dead: pa.Table, late: pa.Table, timely: pa.Table, ranges: Ranges) -> None:
        self._insert(DEAD_LETTERS, dead, ranges, Step.DEAD_LETTERS_STORED)
        self._publish(dead)
        self._insert(LATE_EVENTS, late, ranges, Step.LATE_STORED)
        self._insert(EVENTS, timely, ranges, Step.EVENTS_STORED)

    def _insert(self, dataset: Dataset, rows: pa.Table, ranges: Ranges, step: Step) -> None:
        self.store.insert_arrow(dataset.name, rows, self.token.of(dataset.name, ranges))
        self.failpoint.reached(step, self.token.query)

    def _publish(self, dead: pa.Table) -> None:
        publish(self.bootstrap, self.dead_letter_topic, dead)
        self.failpoint.reached(Step.DEAD_LETTERS_PUBLISHED, self.token.query)

    def _enriched(self, events: pa.Table, now: datetime) -> pa.Table:
        return enrichment(self.store, pinned(self.store, self.token, now)).applied(events)


def apart(events: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Events in time, and late ones."""
    late = is_late(events)
    return events.filter(pc.invert(late)), events.filter(late)


def kinds(stored: pa.Table, late: pa.Table, copies: pa.Table, dead: pa.Table) -> list[KindCount]:
    """Every record but tombstones, by type and fate."""
    return [*kinds_of({Fate.STORED: stored, Fate.LATE: late, Fate.DUPLICATE: copies}), *dead_kinds(dead)]


def _began(records: pa.Table) -> datetime:
    began: datetime = pc.min(records[BATCH_AT]).as_py()
    return began

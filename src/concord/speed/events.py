"""A micro-batch of events goes to rest: valid ones once per id, late ones apart, invalid ones as dead letters."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from concord.contracts.behaviour import LATE_EVENTS
from concord.contracts.events import EVENTS
from concord.contracts.model import Dataset
from concord.gateways.clickhouse import ClickHouse
from concord.speed.batch_token import BatchToken
from concord.speed.copies import known, originals
from concord.speed.dead_letters import StoreDeadLetters
from concord.speed.enrich import enrichment, pinned
from concord.speed.failpoint import Failpoint, Step
from concord.speed.lateness import bound_after, is_late
from concord.speed.quality import Fate, KindCount, dead_kinds, kinds_of
from concord.speed.records import BATCH_AT, POSITION
from concord.speed.sessions.keep import Ranges, StoreSessions
from concord.speed.settle import in_kafkas_order, settled
from concord.speed.tally import Done, Fates, offset_ranges

KEPT = [*POSITION, BATCH_AT]
"""What all records are needed for, once each has been looked at."""


@dataclass(frozen=True)
class Part:
    """Some records: the events in them, where those lie that are dead or large, and how many of what kind are dead."""

    events: pa.Table
    dead: pa.Table
    large: pa.Table
    dead_kinds: Sequence[KindCount]


@dataclass(frozen=True)
class StoreEvents:
    """One attempt at one micro-batch. Runs in a Spark worker; every attempt leaves the same rows.

    While ClickHouse takes the events in, sessions are computed from them; they are written when the events are at rest.
    """

    store: ClickHouse
    token: BatchToken
    bury: StoreDeadLetters
    failpoint: Failpoint = field(default_factory=Failpoint)

    def begin(self, records: pa.Table) -> tuple[pa.Table, Part]:
        """The last word on some of the records. Of dead letters only the place is kept: there may be no room for all."""
        part = settled(records)
        self.bury(part.dead)
        dead, kinds = part.dead.select(POSITION), dead_kinds(part.dead)
        return records.select(KEPT), Part(part.events, dead, part.large, kinds)

    def finish(self, records: pa.Table, begun: Sequence[Part]) -> Done:
        """All of the micro-batch to rest."""
        ranges = offset_ranges(records)
        began = _began(records)
        events = self._enriched(in_kafkas_order(pa.concat_tables([part.events for part in begun])), began)
        late = events.filter(is_late(events))
        kept = originals(events, known(self.store, events, late), ranges)
        timely, kept_late = apart(kept.events)
        bound = bound_after(records)
        with ThreadPoolExecutor(1) as aside:
            stored = aside.submit(self._put_to_rest, kept_late, timely, ranges)
            sessions = StoreSessions(self.store, self.token, self.failpoint, stored.result)
            measures = sessions(timely, bound, ranges, began)
            stored.result()
        large = pa.concat_tables([part.large for part in begun])
        dead = pa.concat_tables([*(part.dead for part in begun), large])
        fates = Fates(records, [timely], dead, kept.copies, late=kept_late, bound=bound)
        told = [kind for part in begun for kind in part.dead_kinds]
        return Done(fates.tallies(), measures, [*kinds(timely, kept_late, kept.copies), *told], large.num_rows)

    def _put_to_rest(self, late: pa.Table, timely: pa.Table, ranges: Ranges) -> None:
        self.bury.rest()
        self._insert(LATE_EVENTS, late, ranges, Step.LATE_STORED)
        self._insert(EVENTS, timely, ranges, Step.EVENTS_STORED)

    def _insert(self, dataset: Dataset, rows: pa.Table, ranges: Ranges, step: Step) -> None:
        self.store.insert_arrow(dataset.name, rows, self.token.of(dataset.name, ranges))
        self.failpoint.reached(step, self.token.query)

    def _enriched(self, events: pa.Table, now: datetime) -> pa.Table:
        return enrichment(self.store, pinned(self.store, self.token, now)).applied(events)


@dataclass(frozen=True)
class StoreLargeRecords:
    """The rest of a micro-batch, which another task has told apart: records with more bytes than any event may have."""

    bury: StoreDeadLetters

    def begin(self, records: pa.Table) -> tuple[pa.Table, Sequence[KindCount]]:
        """A few of them, all dead letters."""
        dead = settled(records).dead
        self.bury(dead)
        return records.select(KEPT), dead_kinds(dead)

    def finish(self, records: pa.Table, begun: Sequence[Sequence[KindCount]]) -> Done:
        """The last of them to rest."""
        self.bury.rest()
        return Done(kinds=[kind for kinds in begun for kind in kinds])


def apart(events: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Events in time, and late ones."""
    late = is_late(events)
    return events.filter(pc.invert(late)), events.filter(late)


def kinds(stored: pa.Table, late: pa.Table, copies: pa.Table) -> list[KindCount]:
    """Every event by type and fate."""
    return kinds_of({Fate.STORED: stored, Fate.LATE: late, Fate.DUPLICATE: copies})


def _began(records: pa.Table) -> datetime:
    began: datetime = pc.min(records[BATCH_AT]).as_py()
    return began

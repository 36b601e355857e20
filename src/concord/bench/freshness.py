"""How old a row is when a query first sees it, against the moment at which it was meant to be sent.

The newest receipt among visible rows is asked for every tenth of a second, which ClickHouse answers from the parts'
bounds without reading any. A micro-batch appears at once; it is visible from the first answer on that is not older
than its own newest receipt. A row's freshness is that moment less ``received_at``, the time it was meant to be sent.
"""

import threading
import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from concord.bench.at_rest import QUERY
from concord.bench.background import meanwhile
from concord.bench.ranges import OF_RUN, Since
from concord.contracts.derived import SPEED_POSITION
from concord.gateways.clickhouse import ClickHouse

EVERY_SECONDS = 0.1
NEWEST = "select toUnixTimestamp64Milli(max(_timestamp)) from events"
HELD = f"""
    select _partition, _offset as last, batch_id from {SPEED_POSITION.name} where query = '{QUERY}' and {OF_RUN}
"""
BATCHES = f"""
with held as ({HELD}), arrived as (select _partition, _offset, _timestamp from events where {OF_RUN})
select batch_id, toUnixTimestamp64Milli(max(_timestamp))
from arrived asof join held on arrived._partition = held._partition and arrived._offset <= held.last
group by batch_id order by batch_id
"""
AGED = f"""
with held as ({HELD}), arrived as (
    select _partition, _offset, toUnixTimestamp64Milli(assumeNotNull(received_at)) as meant from events where {OF_RUN}
), aged as (
    select meant, transform(batch_id, {{ids:Array(Int64)}}, {{visible:Array(Int64)}}, toInt64(0)) - meant as age
    from arrived asof join held on arrived._partition = held._partition and arrived._offset <= held.last
    where meant >= {{from_ms:Int64}} and has({{ids:Array(Int64)}}, batch_id)
)
"""
FIGURES = "count(), quantilesExact(0.5, 0.95, 0.99)(age), max(age)"


@dataclass
class Seen:
    """Answers of the probe: when each came, and the newest receipt it told of. Milliseconds since 1970."""

    at_ms: list[int] = field(default_factory=list)
    newest_ms: list[int] = field(default_factory=list)

    def add(self, at_ms: int, newest_ms: int) -> None:
        """Receipts never go back: what was visible stays so."""
        self.at_ms.append(at_ms)
        self.newest_ms.append(max(newest_ms, self.newest_ms[-1] if self.newest_ms else 0))

    def visible_from(self, newest_ms: int) -> int | None:
        """When rows up to this receipt were first seen; None if never."""
        place = bisect_left(self.newest_ms, newest_ms)
        return self.at_ms[place] if place < len(self.at_ms) else None


@contextmanager
def probing(store: ClickHouse) -> Iterator[Seen]:
    """Ask every tenth of a second as long as the block runs."""
    seen = Seen()
    with meanwhile(lambda stop: _probe(store, seen, stop)):
        yield seen


def _probe(store: ClickHouse, seen: Seen, stop: threading.Event) -> None:
    while not stop.is_set():
        began = time.monotonic()
        newest = int(store.query(NEWEST)[0][0])
        seen.add(time.time_ns() // 1_000_000, newest)
        stop.wait(max(0.0, EVERY_SECONDS - (time.monotonic() - began)))


def freshness(store: ClickHouse, since: Since, seen: Seen, from_ms: int) -> Mapping[str, Any]:
    """Percentiles in seconds over every stored row meant to be sent from ``from_ms`` on, and by ten seconds of it."""
    visible = _visible(store, since, seen)
    params = {**since.params, "ids": list(visible), "visible": list(visible.values()), "from_ms": from_ms}
    whole = store.query(f"{AGED} select {FIGURES} from aged", params)[0]
    timeline = store.query(
        f"{AGED} select intDiv(meant - {{from_ms:Int64}}, 10000) * 10 as second, {FIGURES} "
        "from aged group by second order by second",
        params,
    )
    return {**_in_seconds(whole), "timeline": [{"second": row[0], **_in_seconds(row[1:])} for row in timeline]}


def _visible(store: ClickHouse, since: Since, seen: Seen) -> dict[int, int]:
    """Per micro-batch when it was first seen."""
    batches = store.query(BATCHES, since.params)
    found = {int(batch): seen.visible_from(int(newest)) for batch, newest in batches}
    return {batch: at for batch, at in found.items() if at is not None}


def _in_seconds(figures: Sequence[Any]) -> dict[str, Any]:
    rows, quantiles, largest = figures
    names = ("p50", "p95", "p99")
    return {
        "rows": int(rows),
        **{name: round(float(value) / 1000, 3) for name, value in zip(names, quantiles, strict=True)},
        "max": round(float(largest) / 1000, 3),
    }

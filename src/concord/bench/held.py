"""Waiting until the speed layer holds everything of a run."""

import time

from concord.bench.ranges import Since
from concord.errors import Unavailable
from concord.gateways.clickhouse import ClickHouse

POLL_SECONDS = 0.2


def wait_until_held(store: ClickHouse, since: Since, records: int, patience_seconds: float) -> float:
    """When the position first covered so many records. Raises :class:`Unavailable` if it stands still for so long."""
    last_held, last_moved = -1, time.monotonic()
    while (held := since.held(store.position())) < records:
        if held > last_held:
            last_held, last_moved = held, time.monotonic()
        if time.monotonic() - last_moved > patience_seconds:
            raise Unavailable(
                f"the speed layer holds {held:,} of {records:,} records and goes no further", "concord logs speed"
            )
        time.sleep(POLL_SECONDS)
    return time.time()

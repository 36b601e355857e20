"""The lateness bound: which events are late, and before which time nothing timely can come any more.

Both follow from the record's own times. Kafka's receipt never goes back within a partition, so once a
partition was read up to a receipt, every event that is still to come and in time happened after that
receipt less the allowed lateness.
"""

from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from concord.contracts.behaviour import LATENESS_SECONDS
from concord.speed.records import BATCH_AT

ALLOWED = timedelta(seconds=LATENESS_SECONDS)
PLANNING = timedelta(seconds=60)
"""A partition that brought nothing had nothing when the micro-batch was planned: at most this long before it began."""


def is_late(events: pa.Table) -> Any:
    """A boolean per event: Kafka received it more than the allowed time after it happened."""
    return pc.greater(pc.subtract(events["_timestamp"], events["occurred_at"]), pa.scalar(ALLOWED, pa.duration("us")))


def bound_after(records: pa.Table) -> datetime:
    """No event of a later micro-batch that is in time happened before this. ``records`` are all of this one."""
    by_partition = records.group_by(["_topic", "_partition"])
    received = by_partition.aggregate([("_timestamp", "max")])["_timestamp_max"].to_pylist()
    began = pc.min(records[BATCH_AT]).as_py() - PLANNING
    bound: datetime = min([began, *received]) - ALLOWED
    return bound

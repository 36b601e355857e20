"""How old records are when they can be queried, from the times at which Kafka received them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

PREFIX = "receipt_ms_"
FIRST, P01, MEDIAN = (f"{PREFIX}{name}" for name in ("first", "p01", "p50"))
"""Milliseconds since 1970: one record of a hundred was received before ``p01``."""
QUANTILES = {FIRST: 0.0, P01: 0.01, MEDIAN: 0.5}


@dataclass(frozen=True)
class Freshness:
    """Seconds from receipt to queryable: half of the records, 99 of 100 and all of them were quicker."""

    median: float
    p99: float
    worst: float


def receipts(records: pa.Table) -> dict[str, float]:
    """The measures of a micro-batch's records, which are not none."""
    received = records["_timestamp"].cast(pa.timestamp("ms", "UTC"), safe=False).cast(pa.int64())
    found = np.quantile(received.to_numpy(), list(QUANTILES.values()), method="lower")
    return dict(zip(QUANTILES, found.astype(float).tolist(), strict=True))


def is_receipt(measure: str) -> bool:
    """Whether a measure is a moment in time, which says nothing to who reads a log."""
    return measure.startswith(PREFIX)


def freshness(measures: Mapping[str, float], queryable_at: float) -> Freshness | None:
    """None for a micro-batch without records."""
    if FIRST not in measures:
        return None
    return Freshness(*(max(0.0, queryable_at - measures[name] / 1000) for name in (MEDIAN, P01, FIRST)))

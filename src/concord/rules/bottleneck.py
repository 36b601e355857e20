"""What holds the stream up, in words: the longest part of a micro-batch, if it matters at all."""

from collections.abc import Mapping
from enum import StrEnum

EASY = 0.5
"""Up to this share of the trigger nothing is worth a change."""
MOST_OF_STORING = 0.5


class Part(StrEnum):
    """Parts of a micro-batch, by the names of their metrics' label."""

    PLAN = "plan"
    READ = "read"
    STORE = "store"
    POSITION = "position"
    CHECKPOINT = "checkpoint"


WORDS: Mapping[str, str] = {
    Part.PLAN: "Kafka and Spark: asking for offsets and planning",
    Part.READ: "Spark: reading Kafka, parsing, validating",
    Part.STORE: "the worker: deduplication, enrichment, sessions",
    Part.POSITION: "ClickHouse: the insert of the position",
    Part.CHECKPOINT: "the disk: Spark's checkpoint",
}
INSERTS = "ClickHouse: the worker's questions and inserts"


def bottleneck(seconds: Mapping[str, float], trigger_seconds: float, clickhouse_seconds: float = 0.0) -> str:
    """``seconds`` by part of a micro-batch; ``clickhouse_seconds`` of one were spent in ClickHouse's statements."""
    total = sum(seconds.values())
    if not total:
        return "nothing comes in"
    longest = max(seconds, key=lambda part: seconds[part])
    words = WORDS.get(longest, longest)
    if longest == Part.STORE and clickhouse_seconds >= MOST_OF_STORING * seconds[longest]:
        words = INSERTS
    share = total / trigger_seconds
    return (
        f"{_verdict(share)}: a micro-batch takes {share:.0%} of its trigger; longest ({seconds[longest]:.2f} s) {words}"
    )


def _verdict(share: float) -> str:
    if share <= EASY:
        return "none"
    return "close" if share <= 1 else "too slow"

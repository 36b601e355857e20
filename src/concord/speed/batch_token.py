"""The name of a micro-batch's insert: the same for every attempt at the same records, and for no other."""

from collections.abc import Mapping
from dataclasses import dataclass

from concord.speed.tally import Partition


@dataclass(frozen=True)
class BatchToken:
    """Made of the query's checkpoint and the batch, never of Spark's tasks, which change over a re-run (K9)."""

    query: str
    checkpoint_id: str
    batch_id: int

    def of(self, table: str, ranges: Mapping[Partition, tuple[int, int]]) -> str:
        """For one table and the offsets, first to last per partition, that the micro-batch holds."""
        spans = [f"{topic}-{number}:{first}-{last}" for (topic, number), (first, last) in sorted(ranges.items())]
        return "|".join([self.query, self.checkpoint_id, str(self.batch_id), table, *spans])

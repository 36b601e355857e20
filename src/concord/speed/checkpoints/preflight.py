"""Before a query starts: may it go on from its checkpoint? What it would lose or double is said, not done."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import structlog

from concord.contracts.derived import SPEED_POSITION
from concord.contracts.position import NOTHING_HELD, Position
from concord.errors import Misconfigured
from concord.gateways.clickhouse import ClickHouse
from concord.gateways.kafka import Kafka
from concord.speed.checkpoints.folder import Folder
from concord.speed.checkpoints.made_with import FILE, MadeWith, changes
from concord.speed.checkpoints.standing import Standing, standing
from concord.speed.replay.plan import is_unfinished

log = structlog.get_logger()

START_OVER = "set right what is named, or make its tables anew from the lake: `concord replay`"
LAST_BATCH = f"select maxOrNull(batch_id) from {SPEED_POSITION.name} where query = {{query:String}}"


@dataclass(frozen=True)
class Preflight:
    """Compares a query's checkpoint with Kafka, with the store, and with the code that is about to go on from it."""

    folder: Folder
    kafka: Kafka
    store: ClickHouse
    query: str

    def __call__(self, now: MadeWith, is_ordered_by_partition: bool) -> None:
        """Raises :class:`Misconfigured` for whatever stands in the way. Notes ``now`` beside the checkpoint."""
        self._refuse_unfinished_replay()
        found = standing(self.folder, self.query)
        if found is None:
            self._refuse_rows_without_checkpoint()
        else:
            self._refuse_changes(now, is_ordered_by_partition)
            self._refuse_gaps(found)
            self._refuse_other_store(found)
        self.folder.write(f"{self.query}/{FILE}", now.as_json())

    def _refuse_unfinished_replay(self) -> None:
        if is_unfinished(self.folder, self.query):
            raise Misconfigured(
                f"{self.query} is being made anew from the lake, and not all of it is there",
                "finish it: `concord replay`",
            )

    def _refuse_rows_without_checkpoint(self) -> None:
        if self._last_batch() is not None:
            place = f"{self.folder.address}/{self.query}"
            raise Misconfigured(
                f"{self.query} has stored rows, but its checkpoint {place} is gone",
                "restore the folder, or make its tables anew from the lake: `concord replay`",
            )

    def _refuse_changes(self, now: MadeWith, is_ordered_by_partition: bool) -> None:
        was = self._was()
        found = changes(was, now, is_ordered_by_partition) if was else []
        for change in found:
            log.info("checkpoint_made_otherwise", query=self.query, change=str(change))
        self._refuse([str(change) for change in found if change.why])

    def _was(self) -> MadeWith | None:
        """None for a checkpoint from before this was noted."""
        content = self.folder.read(f"{self.query}/{FILE}")
        if content is None:
            log.warning("checkpoint_of_unknown_making", query=self.query)
            return None
        try:
            return MadeWith.from_json(content)
        except (ValueError, KeyError, TypeError):
            self._refuse([f"{self.folder.address}/{self.query}/{FILE} is empty or cut short"])
            return None

    def _refuse_gaps(self, found: Standing) -> None:
        """Kafka must still have, and already have, what comes next."""
        self._refuse(list(self._gaps(found)))

    def _gaps(self, found: Standing) -> Iterator[str]:
        kept = self.kafka.kept(sorted({partition.topic for partition in found.next_offsets}))
        for partition, next_offset in sorted(found.next_offsets.items(), key=str):
            first, end = kept.get(partition, (next_offset, NOTHING_HELD))
            if next_offset < first:
                yield f"{partition} is kept from offset {first} on, offsets {next_offset} to {first - 1} were not read"
            if next_offset > end:
                yield f"{partition} ends before offset {max(end, 0)}, it was read up to {next_offset - 1}"

    def _refuse_other_store(self, found: Standing) -> None:
        """The store and the checkpoint must be of the same moment: a copy restored of one alone is told by the other."""
        last = self._last_batch()
        if last is not None and last > found.planned:
            self._refuse(
                [f"it ends with micro-batch {found.planned}, the store holds micro-batch {last}: it is too old"]
            )
        self._refuse(list(self._lost(found)))

    def _lost(self, found: Standing) -> Iterator[str]:
        """Records that were committed as stored, and are not. Transaction markers are no records."""
        held = self.store.position()
        for partition, next_offset in sorted(found.next_offsets.items(), key=str):
            until = Position({partition: next_offset - 1})
            if held[partition] < next_offset - 1 and any(self.kafka.read(partition.topic, held, until)):
                yield f"{partition} was read up to {next_offset - 1}, the store holds it up to {held[partition]}"

    def _last_batch(self) -> int | None:
        found = self.store.query(LAST_BATCH, {"query": self.query})[0][0]
        return None if found is None else int(found)

    def _refuse(self, reasons: Sequence[str]) -> None:
        if reasons:
            told = "; ".join(reasons)
            raise Misconfigured(f"{self.query} cannot go on from its checkpoint: {told}", START_OVER)

"""What one batch takes in: per partition the changes above one position, up to and with another."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from concord.contracts.model import Dataset
from concord.contracts.names import cdc_topic
from concord.contracts.position import Position, Publication, TopicPartition
from concord.contracts.tables import TABLES, lake_name
from concord.errors import Disagreement, Misconfigured

DIGEST_LENGTH = 8


@dataclass(frozen=True)
class Bound:
    """The offsets of one partition: above ``above``, up to and with ``upto``."""

    partition: int
    above: int
    upto: int


@dataclass(frozen=True)
class Range:
    """Changes of one table between two positions; only partitions that moved have a bound."""

    table: Dataset
    bounds: tuple[Bound, ...]

    @property
    def topic(self) -> str:
        return cdc_topic(self.table)

    @property
    def is_empty(self) -> bool:
        return not self.bounds

    def in_lake(self) -> str:
        """The predicate that exactly these changes meet in the lake."""
        return self._predicate(lake_name("_topic"), lake_name("_partition"), lake_name("_offset"))

    def in_raw(self) -> str:
        """The predicate that exactly these changes meet in RAW."""
        return self._predicate("_topic", "_partition", "_offset")

    def _predicate(self, topic: str, partition: str, offset: str) -> str:
        bounds = (
            f"({partition} = {bound.partition} and {offset} > {bound.above} and {offset} <= {bound.upto})"
            for bound in self.bounds
        )
        return f"{topic} = '{self.topic}' and ({' or '.join(bounds) or 'false'})"


def between(table: Dataset, above: Position, upto: Position) -> Range:
    """The table's changes above one position, up to and with another."""
    topic = cdc_topic(table)
    bounds = (
        Bound(partition, above[TopicPartition(topic, partition)], last) for _, partition, last in upto.of_topic(topic)
    )
    return Range(table, tuple(bound for bound in bounds if bound.above < bound.upto))


def ranges(above: Position, upto: Position) -> Iterator[Range]:
    """The range of each table that has one."""
    for table in TABLES.values():
        found = between(table, above, upto)
        if not found.is_empty:
            yield found


def check_never_back(published: Position, pinned: Position) -> None:
    """Raises :class:`Disagreement` if the lake holds less than a published batch has already shown."""
    behind = pinned.behind(published)
    if behind.offsets:
        raise Disagreement(
            f"the lake holds less than was published: it is behind at {json.dumps(behind.as_json())}",
            "the lake was reset or lost data: `concord reset` starts all layers anew",
        )


def batch_id(number: int, position: Position) -> str:
    """Sorts by number; the same number and position give the same name, another position another one."""
    document = json.dumps(position.as_json(), sort_keys=True)
    return f"{number:06d}-{hashlib.sha256(document.encode()).hexdigest()[:DIGEST_LENGTH]}"


def predecessor(publications: Sequence[Publication], wanted: str) -> tuple[Publication | None, Publication]:
    """The published batch before the wanted one (None for the first), and itself.

    ``publications`` are oldest first. Raises :class:`Misconfigured` if the batch was never published.
    """
    before: Publication | None = None
    for publication in publications:
        if publication.batch_id == wanted:
            return before, publication
        before = publication
    raise Misconfigured(f"batch {wanted} was never published", f"published are: {_names(publications)}")


def _names(publications: Iterable[Publication]) -> str:
    return ", ".join(publication.batch_id for publication in publications) or "none"

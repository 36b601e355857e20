"""What one batch takes in: per partition the records above one position, up to and with another."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from concord.batch.feeds import CHANGE_FEEDS, Feed
from concord.contracts.position import Position, Publication, TopicPartition
from concord.contracts.tables import POSITION_KEY, lake_name
from concord.errors import Disagreement, Misconfigured

DIGEST_LENGTH = 8


@dataclass(frozen=True)
class Span:
    """Records of every topic above one position, up to and with another."""

    above: Position
    upto: Position

    @property
    def is_empty(self) -> bool:
        return self.above.covers(self.upto)

    def within(self, other: "Span") -> "Span":
        """What lies in both."""
        return Span(self.above.merge(other.above), self.upto.cut(other.upto))


@dataclass(frozen=True)
class Bound:
    """The offsets of one partition: above ``above``, up to and with ``upto``."""

    partition: int
    above: int
    upto: int


@dataclass(frozen=True)
class Range:
    """Records of one topic between two positions; only partitions that moved have a bound."""

    topic: str
    bounds: tuple[Bound, ...]

    @property
    def is_empty(self) -> bool:
        return not self.bounds

    def in_lake(self) -> str:
        """The predicate that exactly these records meet in the lake."""
        return self._predicate(*map(lake_name, POSITION_KEY))

    def in_raw(self) -> str:
        """The predicate that exactly these records meet in RAW."""
        return self._predicate(*POSITION_KEY)

    def _predicate(self, topic: str, partition: str, offset: str) -> str:
        bounds = (
            f"({partition} = {bound.partition} and {offset} > {bound.above} and {offset} <= {bound.upto})"
            for bound in self.bounds
        )
        return f"{topic} = '{self.topic}' and ({' or '.join(bounds) or 'false'})"


def between(topic: str, above: Position, upto: Position) -> Range:
    """The topic's records above one position, up to and with another."""
    bounds = (
        Bound(partition, above[TopicPartition(topic, partition)], last) for _, partition, last in upto.of_topic(topic)
    )
    return Range(topic, tuple(bound for bound in bounds if bound.above < bound.upto))


def changes_between(span: Span) -> Iterator[tuple[Feed, Range]]:
    """The range of each change log that has one."""
    for feed in CHANGE_FEEDS:
        found = between(feed.topic, span.above, span.upto)
        if not found.is_empty:
            yield feed, found


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


def spans(publications: Sequence[Publication]) -> dict[str, Span]:
    """What each published batch brought; ``publications`` are oldest first."""
    positions = [Position(), *(publication.position for publication in publications)]
    return {
        publication.batch_id: Span(*ends) for publication, ends in zip(publications, pairwise(positions), strict=True)
    }


def span_of(publications: Sequence[Publication], wanted: str) -> Span:
    """What the wanted batch brought. Raises :class:`Misconfigured` if it was never published."""
    found = spans(publications).get(wanted)
    if found is None:
        raise Misconfigured(f"batch {wanted} was never published", f"published are: {_names(publications)}")
    return found


def _names(publications: Iterable[Publication]) -> str:
    return ", ".join(publication.batch_id for publication in publications) or "none"

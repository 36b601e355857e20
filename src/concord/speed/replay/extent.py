"""How far the lake carries a query, and whether Kafka has everything after it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from concord.contracts.position import NOTHING_HELD, Position, TopicPartition
from concord.errors import Misconfigured

Kept = Mapping[TopicPartition, tuple[int, int]]
"""Per partition the first offset that Kafka still has, and the one that comes next."""


@dataclass(frozen=True)
class Extent:
    """``upto`` is what comes from the lake; from ``next_offsets`` on Kafka goes on."""

    upto: Position
    next_offsets: Mapping[TopicPartition, int]


def extent(lake: Position, kept: Kept, accepts_gaps: bool = False) -> Extent:
    """Raises :class:`Misconfigured` naming the offsets that neither has, unless ``accepts_gaps``.

    Transaction markers take up offsets too, so a gap right before what Kafka keeps may be none: nobody can
    tell once they are deleted. A topic that ends before what the lake holds of it was created again.
    """
    if again := list(_created_again(lake, kept)):
        raise Misconfigured(
            f"the lake's offsets are of other topics: {'; '.join(again)}", "start over: `concord reset`"
        )
    gaps = list(_gaps(lake, kept))
    if gaps and not accepts_gaps:
        raise Misconfigured(
            f"neither the lake nor Kafka has {'; '.join(gaps)}",
            "let the lake's sink catch up, or leave them out: --accept-gaps",
        )
    starts = {each: max(lake[each] + 1, first) for each, (first, _) in kept.items()}
    return Extent(Position({each: offset for each, offset in lake.offsets.items() if each in kept}), starts)


def _created_again(lake: Position, kept: Kept) -> Iterator[str]:
    for each, (_, end) in sorted(kept.items(), key=str):
        if lake[each] >= max(end, 0) and lake[each] != NOTHING_HELD:
            yield f"{each} ends before offset {max(end, 0)}, the lake holds it up to {lake[each]}"


def _gaps(lake: Position, kept: Kept) -> Iterator[str]:
    for each, (first, _) in sorted(kept.items(), key=str):
        if lake[each] + 1 < first:
            yield f"offsets {lake[each] + 1} to {first - 1} of {each}"

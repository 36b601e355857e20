"""What must be at rest after a run, and whether it is: counts, sums and hashes by kind of event.

A row's hash is its content times its identity, its times times its identity, what is added to it times its identity: a
row that is lost, stored twice or altered changes a sum. All sums are modulo 2**64.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Self

WORD = 1 << 64


@dataclass(frozen=True)
class Total:
    """The rows of one kind: how many, all their money in cents, and the sums of their hashes."""

    count: int = 0
    cents: int = 0
    content: int = 0
    times: int = 0
    added: int = 0

    def __add__(self, other: Self) -> "Total":
        return Total(
            self.count + other.count,
            self.cents + other.cents,
            (self.content + other.content) % WORD,
            (self.times + other.times) % WORD,
            (self.added + other.added) % WORD,
        )


MEASURES = tuple(field.name for field in fields(Total))
OF_WHAT_WAS_SENT = tuple(name for name in MEASURES if name != "added")
"""Where it is not known what the speed layer adds."""
Kind = str
"""``<table>/<event type>``, for dead letters ``dead_letters/<reason>``."""


@dataclass
class Totals:
    """Totals by kind, and how many records there were in all and of which fate."""

    kinds: dict[Kind, Total] = field(default_factory=dict)
    fates: dict[str, int] = field(default_factory=dict)

    def add(self, kind: Kind, total: Total) -> None:
        self.kinds[kind] = self.kinds.get(kind, Total()) + total

    def count_fate(self, fate: str, count: int) -> None:
        self.fates[fate] = self.fates.get(fate, 0) + count

    def __add__(self, other: Self) -> Self:
        made = type(self)(dict(self.kinds), dict(self.fates))
        for kind, total in other.kinds.items():
            made.add(kind, total)
        for fate, count in other.fates.items():
            made.count_fate(fate, count)
        return made

    @property
    def records(self) -> int:
        return sum(self.fates.values())


def differences(expected: Totals, actual: Totals, measures: Sequence[str] = MEASURES) -> list[str]:
    """What is not as it must be, in words; empty if every record is accounted for."""
    return [*_fates(expected.fates, actual.fates), *_kinds(expected.kinds, actual.kinds, measures)]


def _fates(expected: Mapping[str, int], actual: Mapping[str, int]) -> Iterator[str]:
    for fate in sorted({*expected, *actual}):
        wanted, found = expected.get(fate, 0), actual.get(fate, 0)
        if wanted != found:
            yield f"{fate}: {found:,} records, {wanted:,} expected"


def _kinds(expected: Mapping[Kind, Total], actual: Mapping[Kind, Total], measures: Sequence[str]) -> Iterator[str]:
    for kind in sorted({*expected, *actual}):
        wanted, found = expected.get(kind, Total()), actual.get(kind, Total())
        for name in measures:
            if getattr(wanted, name) != getattr(found, name):
                yield f"{kind}: {name} {getattr(found, name)}, {getattr(wanted, name)} expected"

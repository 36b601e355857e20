"""What a checkpoint was made with, kept beside it, and which changes since are harmless.

Offsets mean something only to the very topics they were read from, and rows at rest follow from the
definitions of their time. What Spark itself would notice late, or never, is compared before a start.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any

from concord.contracts.model import Dataset
from concord.dialects.clickhouse import column_type, widens
from concord.gateways.kafka import TopicIdentity

FILE = "made-with.json"
FORMAT = 1
"""Of our own part of a checkpoint: raise it when code can no longer go on from what older code left."""
OPTIONAL = "Nullable("


@dataclass(frozen=True)
class MadeWith:
    """``definitions`` are the numbers that rows follow from, ``columns`` the tables' types by name."""

    spark: str
    topics: Mapping[str, TopicIdentity]
    definitions: Mapping[str, int]
    columns: Mapping[str, Mapping[str, str]]
    format: int = FORMAT

    def as_json(self) -> bytes:
        return json.dumps(asdict(self), indent=1, sort_keys=True).encode()

    @classmethod
    def from_json(cls, content: bytes) -> "MadeWith":
        """Raises ValueError, KeyError or TypeError for a file that is cut short."""
        document: dict[str, Any] = json.loads(content)
        topics = {name: TopicIdentity(**topic) for name, topic in document.pop("topics").items()}
        return cls(topics=topics, **document)


def columns_of(datasets: Iterable[Dataset]) -> Mapping[str, Mapping[str, str]]:
    """The store's types by table and column."""
    return {each.name: {column.name: column_type(column) for column in each.columns} for each in datasets}


@dataclass(frozen=True)
class Change:
    """Something that is not as it was. ``why`` it matters; empty if it does no harm."""

    what: str
    was: object
    now: object
    why: str = ""

    def __str__(self) -> str:
        told = f"{self.what} was {self.was}, is {self.now}"
        return f"{told} ({self.why})" if self.why else told


def changes(was: MadeWith, now: MadeWith, is_ordered_by_partition: bool) -> list[Change]:
    """All changes. ``is_ordered_by_partition``: rows of one key follow from their order within a partition."""
    if was.format != now.format:
        return [Change("the checkpoint's format", was.format, now.format, "another version of Concord made it")]
    return list(
        chain(
            _spark(was.spark, now.spark),
            _topics(was.topics, now.topics, is_ordered_by_partition),
            _definitions(was.definitions, now.definitions),
            _tables(was.columns, now.columns),
        )
    )


def _spark(was: str, now: str) -> Iterator[Change]:
    """Spark reads checkpoints of its past, not of its future."""
    if was != now:
        why = "" if _release(now) >= _release(was) else "an older Spark does not promise to read what a newer one wrote"
        yield Change("Spark", was, now, why)


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])


def _topics(was: Mapping[str, TopicIdentity], now: Mapping[str, TopicIdentity], is_ordered: bool) -> Iterator[Change]:
    for name in sorted(was.keys() - now.keys()):
        yield Change(f"topic {name}", "read", "left out", "its rows would stop where they are")
    for name in sorted(now.keys() - was.keys()):
        yield Change(f"topic {name}", "not read", "read from its first record")
    for name in sorted(was.keys() & now.keys()):
        yield from _topic(name, was[name], now[name], is_ordered)


def _topic(name: str, was: TopicIdentity, now: TopicIdentity, is_ordered: bool) -> Iterator[Change]:
    if was.id != now.id:
        yield Change(
            f"topic {name}", was.id, now.id, "it was deleted and created again, so the offsets are of another topic"
        )
    elif was.partitions != now.partitions:
        why = (
            "changes of one key may lie in two partitions now, and nothing says which came first" if is_ordered else ""
        )
        yield Change(f"partitions of topic {name}", was.partitions, now.partitions, why)


def _definitions(was: Mapping[str, int], now: Mapping[str, int]) -> Iterator[Change]:
    for name in sorted(was.keys() | now.keys()):
        if was.get(name) != now.get(name):
            yield Change(name, was.get(name), now.get(name), "the rows at rest follow from what it was")


def _tables(was: Mapping[str, Mapping[str, str]], now: Mapping[str, Mapping[str, str]]) -> Iterator[Change]:
    for table in sorted(was.keys() & now.keys()):
        for column in sorted(was[table].keys() | now[table].keys()):
            yield from _column(f"column {table}.{column}", was[table].get(column), now[table].get(column))


def _column(what: str, was: str | None, now: str | None) -> Iterator[Change]:
    if was == now:
        return
    is_harmless = now is not None and (OPTIONAL in now if was is None else widens(was, now))
    yield Change(what, was or "absent", now or "absent", "" if is_harmless else "rows at rest have it as it was")

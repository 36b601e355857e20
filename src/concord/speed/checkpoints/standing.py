"""Where a query stands, from the files that Spark keeps in its checkpoint."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from concord.contracts.position import TopicPartition
from concord.errors import Misconfigured
from concord.speed.checkpoints.folder import Folder

METADATA, OFFSETS, COMMITS = "metadata", "offsets", "commits"
NONE_YET = -1
LOG_VERSION = "v1"
WAY_OUT = (
    "restore the folder from a copy younger than the store, or make its tables anew from the lake: `concord replay`"
)


@dataclass(frozen=True)
class Standing:
    """``planned`` and ``committed`` are the last micro-batches so far, −1 for none.

    ``next_offsets`` is where the first one that was not committed begins, empty before the first commit.
    """

    planned: int
    committed: int
    next_offsets: Mapping[TopicPartition, int]


def standing(folder: Folder, query: str) -> Standing | None:
    """None where there is no checkpoint at all. Raises :class:`Misconfigured` naming a file that is lost or cut short."""
    files = _Files(folder, query)
    planned, committed = files.last(OFFSETS), files.last(COMMITS)
    if not files.has_identity():
        if planned == committed == NONE_YET:
            return None
        raise files.damaged(METADATA, "is missing")
    if planned not in (committed, committed + 1):
        told = f"{OFFSETS} end with micro-batch {planned}, {COMMITS} with {committed}"
        raise files.damaged(OFFSETS if planned < committed else COMMITS, f"lack files: {told}")
    for number in {planned, committed} - {NONE_YET}:
        files.offsets(number)
    if committed == NONE_YET:
        return Standing(planned, committed, {})
    files.lines(COMMITS, committed, expected=2)
    return Standing(planned, committed, files.offsets(committed))


def planned_at(folder: Folder, query: str, number: int) -> datetime:
    """When Spark planned the micro-batch, which it keeps with the plan: the same at every attempt."""
    name = f"{OFFSETS}/{number}"
    seconds = began(folder.read(f"{query}/{name}"))
    if seconds is None:
        raise _Files(folder, query).damaged(name, "is missing or cut short")
    return datetime.fromtimestamp(seconds, UTC)


def began(offset_file: bytes | None) -> float | None:
    """Seconds since 1970 at which Spark planned the micro-batch; None if it keeps no record of it (any more)."""
    try:
        _, metadata, *_ = (offset_file or b"").splitlines()
        return float(json.loads(metadata)["batchTimestampMs"]) / 1000
    except (ValueError, KeyError):
        return None


@dataclass(frozen=True)
class _Files:
    folder: Folder
    query: str

    def has_identity(self) -> bool:
        """Spark names a query's checkpoint in it."""
        content = self.folder.read(f"{self.query}/{METADATA}")
        if content is None:
            return False
        try:
            json.loads(content)["id"]
        except (ValueError, KeyError, TypeError):
            raise self.damaged(METADATA, "is empty or cut short") from None
        return True

    def last(self, log: str) -> int:
        """The highest number in one of Spark's logs; what else lies there are its sums and half-written files."""
        numbers = [int(name) for name in self.folder.names(f"{self.query}/{log}") if name.isdecimal()]
        return max(numbers, default=NONE_YET)

    def offsets(self, number: int) -> Mapping[TopicPartition, int]:
        """Where the micro-batch ends: per partition the first offset after it."""
        *_, text = self.lines(OFFSETS, number, expected=3)
        document: Mapping[str, Mapping[str, int]] = self._parsed(f"{OFFSETS}/{number}", text)
        return {
            TopicPartition(topic, int(partition)): offset
            for topic, partitions in document.items()
            for partition, offset in partitions.items()
        }

    def lines(self, log: str, number: int, expected: int) -> list[str]:
        """Version, metadata and then one line per source."""
        name = f"{log}/{number}"
        content = self.folder.read(f"{self.query}/{name}")
        if content is None:
            raise self.damaged(name, "is missing")
        lines = content.decode(errors="replace").splitlines()
        if len(lines) != expected:
            raise self.damaged(name, "is empty or cut short")
        if lines[0] != LOG_VERSION:
            raise self.damaged(name, f"is of version {lines[0]!r}, only {LOG_VERSION} is known")
        self._parsed(name, lines[1])
        return lines

    def _parsed(self, name: str, text: str) -> Any:
        try:
            found = json.loads(text)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise self.damaged(name, "is empty or cut short")
        return found

    def damaged(self, name: str, what: str) -> Misconfigured:
        place = f"{self.folder.address}/{self.query}/{name}"
        return Misconfigured(f"{self.query} cannot go on from its checkpoint: {place} {what}", WAY_OUT)

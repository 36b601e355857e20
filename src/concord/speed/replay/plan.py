"""What a replay set out to do, kept beside the checkpoints: cut short, it goes on as it began.

A micro-batch that is run again must hold the very records it held before, so the snapshots are pinned
and the receipts that end each micro-batch are fixed.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from concord.contracts.position import TopicPartition
from concord.errors import Misconfigured
from concord.speed.checkpoints.folder import Folder
from concord.speed.checkpoints.standing import NONE_YET


@dataclass(frozen=True)
class Plan:
    """``ends_ms`` are receipts in ascending order: micro-batch n holds what Kafka received up to ``ends_ms[n]``.

    ``snapshots`` by table of the lake; ``starts`` has where Kafka goes on, by ``topic-partition``.
    """

    checkpoint_id: str
    snapshots: Mapping[str, int]
    ends_ms: tuple[int, ...]
    starts: Mapping[str, int]
    is_wiped: bool = False

    def span(self, number: int) -> tuple[int, int]:
        """Receipts of micro-batch ``number`` in milliseconds since 1970: after the first, up to the second."""
        return (self.ends_ms[number - 1] if number else NONE_YET), self.ends_ms[number]

    def next_offsets(self) -> Mapping[TopicPartition, int]:
        """Where Kafka goes on."""
        parts = {each.rpartition("-"): offset for each, offset in self.starts.items()}
        return {TopicPartition(topic, int(number)): offset for (topic, _, number), offset in parts.items()}

    def wiped(self) -> "Plan":
        return replace(self, is_wiped=True)


def read(folder: Folder, query: str) -> Plan | None:
    """The plan of a replay that is not finished. Raises :class:`Misconfigured` for one that is cut short."""
    content = folder.read(name(query))
    if content is None:
        return None
    try:
        document = json.loads(content)
        return Plan(**{**document, "ends_ms": tuple(document["ends_ms"])})
    except (ValueError, KeyError, TypeError):
        raise Misconfigured(
            f"{folder.address}/{name(query)} is empty or cut short", "delete it and run `concord replay` again"
        ) from None


def write(folder: Folder, query: str, plan: Plan) -> None:
    folder.write(name(query), json.dumps(asdict(plan)).encode())


def finish(folder: Folder, query: str) -> None:
    """The query may start again."""
    folder.remove(name(query))


def is_unfinished(folder: Folder, query: str) -> bool:
    return folder.read(name(query)) is not None


def name(query: str) -> str:
    return f"replay-{query}.json"

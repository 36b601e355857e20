"""A checkpoint as Spark leaves one, written by us: its query goes on with Kafka behind what came from the lake."""

import json
from collections.abc import Mapping

from concord.contracts.position import TopicPartition
from concord.speed.checkpoints.folder import Folder
from concord.speed.checkpoints.standing import COMMITS, LOG_VERSION, METADATA, OFFSETS


def begin(folder: Folder, query: str, checkpoint_id: str) -> None:
    """An empty checkpoint of this identity, whatever was there."""
    folder.remove(query)
    folder.write(f"{query}/{METADATA}", json.dumps({"id": checkpoint_id}).encode())


def commit(folder: Folder, query: str, number: int, next_offsets: Mapping[TopicPartition, int], at_ms: int) -> None:
    """Micro-batch ``number`` is done: Spark begins its next one at ``next_offsets``, first offsets not read."""
    planned = {"batchWatermarkMs": 0, "batchTimestampMs": at_ms, "conf": {}}
    _write(folder, f"{query}/{OFFSETS}/{number}", planned, by_topic(next_offsets))
    _write(folder, f"{query}/{COMMITS}/{number}", {"nextBatchWatermarkMs": 0})


def by_topic(offsets: Mapping[TopicPartition, int]) -> dict[str, dict[str, int]]:
    document: dict[str, dict[str, int]] = {}
    for each, offset in offsets.items():
        document.setdefault(each.topic, {})[str(each.partition)] = offset
    return document


def _write(folder: Folder, path: str, *lines: object) -> None:
    folder.write(path, "\n".join([LOG_VERSION, *(json.dumps(line, separators=(",", ":")) for line in lines)]).encode())

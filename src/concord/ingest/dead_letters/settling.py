"""What became of replays that broke off: every record that was to be sent is looked for in its topic."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import groupby
from json import loads
from typing import Any, Protocol

from concord.contracts.position import Position
from concord.gateways.kafka import Record
from concord.ingest.dead_letters.audit import ID_HEADER, SOURCE_HEADER, source_of
from concord.ingest.dead_letters.letters import Place

Intent = Mapping[str, Any]
Mark = tuple[bytes | None, bytes | None]
"""Source position and replay, as the headers of a replayed record say them."""


class Topics(Protocol):
    """The part of Kafka that is read here."""

    def start_position(self, topic: str) -> Position: ...

    def end_position(self, topics: Sequence[str]) -> Position: ...

    def read(self, topic: str, after: Position | None = None) -> Iterable[Record]: ...


@dataclass(frozen=True)
class Settlement:
    """``found`` intents with where their record lies, ``missing`` ones of which there is none, and ``uncertain``
    ones, of which the topic may have held a record that it no longer keeps."""

    found: Sequence[tuple[Intent, Place]] = ()
    missing: Sequence[Intent] = ()
    uncertain: frozenset[Place] = frozenset()

    @cached_property
    def replayed(self) -> frozenset[Place]:
        """Letters whose record has been found."""
        return frozenset(source_of(intent) for intent, _ in self.found)

    @cached_property
    def attempts(self) -> Mapping[Place, int]:
        """Per record found, which attempt at its original it is."""
        return {place: intent["attempt"] for intent, place in self.found}


def settle(intents: Iterable[Intent], topics: Topics) -> Settlement:
    """Look for the record of each intent. Exact once no earlier sender can send any more."""
    by_topic = groupby(sorted(intents, key=_topic), _topic)
    settled = [_settle(topic, list(own), topics) for topic, own in by_topic]
    return Settlement(
        found=[pair for each in settled for pair in each.found],
        missing=[intent for each in settled for intent in each.missing],
        uncertain=frozenset(place for each in settled for place in each.uncertain),
    )


def _settle(topic: str, intents: Sequence[Intent], topics: Topics) -> Settlement:
    after = reduce(Position.cut, map(_end_before, intents))
    kept = topics.start_position(topic)
    places = dict(_replayed(topics.read(topic, after), {_mark(intent) for intent in intents}))
    found = [(intent, places[_mark(intent)]) for intent in intents if _mark(intent) in places]
    rest = [intent for intent in intents if _mark(intent) not in places]
    return Settlement(
        found=found,
        missing=[intent for intent in rest if _end_before(intent).covers(kept)],
        uncertain=frozenset(source_of(intent) for intent in rest if not _end_before(intent).covers(kept)),
    )


def _replayed(records: Iterable[Record], wanted: set[Mark]) -> Iterator[tuple[Mark, Place]]:
    for record in records:
        named = dict(record.headers)
        mark = named.get(SOURCE_HEADER), named.get(ID_HEADER)
        if mark in wanted:
            yield mark, Place(record.topic, record.partition, record.offset)
            wanted = wanted - {mark}
        if not wanted:
            return


def _topic(intent: Intent) -> str:
    return str(intent["source_topic"])


def _mark(intent: Intent) -> Mark:
    return str(source_of(intent)).encode(), str(intent["replay_id"]).encode()


def _end_before(intent: Intent) -> Position:
    return Position.from_json(loads(intent["topic_end"]))

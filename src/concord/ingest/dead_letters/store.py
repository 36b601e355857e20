"""Dead letters and what was done about them, as ClickHouse holds them."""

from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from concord.contracts.derived import DEAD_LETTER_REPLAYS, DEAD_LETTERS
from concord.dialects.arrow import arrow_schema
from concord.gateways.clickhouse import ClickHouse
from concord.ingest.dead_letters.letters import TRANSIENT, DeadLetter, Group, Place, Selection

PAGE = 1000
"""Letters that are held in memory, and sent in one transaction."""

CLOSED = f"select source_topic, source_partition, source_offset from {DEAD_LETTER_REPLAYS.name} where outcome = 'sent'"

SENT = f"""
select
    assumeNotNull(produced_topic) as topic,
    assumeNotNull(produced_partition) as partition,
    assumeNotNull(produced_offset) as offset,
    max(attempt) as attempts,
    groupArray(replay_id) as replays
from {DEAD_LETTER_REPLAYS.name}
where outcome = 'sent'
group by topic, partition, offset
"""

# What is no UTF-8 would come back changed, so the original travels as base64.
LETTERS = f"""
select
    tuple(l._topic, l._partition, l._offset) as place, l.reason as reason, l.pointer as pointer, l.detail as detail,
    if(isNull(l.original), null, base64Encode(assumeNotNull(l.original))) as encoded,
    l._timestamp as received_at, l.first_seen_at as first_seen_at,
    s.attempts as attempts, place in ({CLOSED}) as is_replayed
from {DEAD_LETTERS.name} as l
left join ({SENT}) as s on l._topic = s.topic and l._partition = s.partition and l._offset = s.offset
"""

GROUPS = f"""
select
    _topic as topic, reason, count() as letters,
    countIf((_topic, _partition, _offset) in ({CLOSED})) as replayed,
    min(l.first_seen_at) as first_seen_at, max(l.first_seen_at) as last_seen_at,
    argMax((_topic, _partition, _offset), (l.first_seen_at, _partition, _offset)) as example,
    argMax(l.pointer, (l.first_seen_at, _partition, _offset)) as pointer
from {DEAD_LETTERS.name} as l
group by topic, reason
order by topic, letters desc, reason
"""

INTENTS = f"""
select * from {DEAD_LETTER_REPLAYS.name}
where outcome = 'intended' and (source_topic, source_partition, source_offset, replay_id) not in (
    select source_topic, source_partition, source_offset, replay_id from {DEAD_LETTER_REPLAYS.name}
    where outcome in ('sent', 'withdrawn')
)
"""

HISTORY = f"""
select * from {DEAD_LETTER_REPLAYS.name}
where (source_topic, source_partition, source_offset) in {{places:Array(Tuple(String, Int32, Int64))}}
   or (outcome = 'sent' and (assumeNotNull(produced_topic), assumeNotNull(produced_partition),
       assumeNotNull(produced_offset)) in {{places:Array(Tuple(String, Int32, Int64))}})
order by replayed_at, attempt, indexOf(['intended', 'sent', 'withdrawn', 'refused'], outcome)
limit 1 by source_topic, source_partition, source_offset, replay_id, outcome
"""

AuditRow = Mapping[str, Any]


@dataclass(frozen=True)
class LetterStore:
    """Both tables in one database."""

    clickhouse: ClickHouse

    def groups(self) -> list[Group]:
        """By topic and reason; of a topic the most frequent reason first."""
        return [Group(**{**row, "example": Place(*row["example"])}) for row in self.clickhouse.query_dicts(GROUPS)]

    def pages(self, selection: Selection, replay_id: str = "") -> Iterator[list[DeadLetter]]:
        """The selected letters, transient causes first, then in Kafka's order; none that ``replay_id`` sent.

        Letters that have been replayed are among them only if they are named one by one.
        """
        is_open = "true" if selection.places else "not is_replayed"
        for kind in ("l.reason in {transient:Array(String)}", "l.reason not in {transient:Array(String)}"):
            condition = f"{_condition(selection)} and {is_open} and {kind}"
            yield from self._pages(condition, _parameters(selection, replay_id))

    def first(self, selection: Selection, limit: int) -> list[DeadLetter]:
        """At most ``limit`` of the selected letters, the newest first."""
        order = "order by l.first_seen_at desc, l._topic, l._partition, l._offset desc limit {limit:UInt32}"
        sql = f"{LETTERS} where {_condition(selection)} {order}"
        return self._letters(sql, {**_parameters(selection), "limit": limit})

    def missing(self, places: Sequence[Place]) -> list[Place]:
        """Those at which no dead letter lies."""
        found = {letter.place for letter in self.first(Selection(tuple(places)), len(places))} if places else set()
        return [place for place in places if place not in found]

    def history(self, places: Sequence[Place]) -> list[dict[str, Any]]:
        """Every step that was taken for these letters, or that led to them, in order."""
        return self.clickhouse.query_dicts(HISTORY, {"places": list(places)}) if places else []

    def open_intents(self) -> list[dict[str, Any]]:
        """Rows of what a replay was about to send without saying afterwards whether it did."""
        return self.clickhouse.query_dicts(INTENTS)

    def record(self, rows: Sequence[AuditRow], token: str) -> None:
        """Append to the audit, once per token."""
        table = pa.Table.from_pylist(list(rows), schema=arrow_schema(DEAD_LETTER_REPLAYS))
        self.clickhouse.insert_arrow(DEAD_LETTER_REPLAYS.name, table, token)

    def _pages(self, condition: str, parameters: dict[str, Any]) -> Iterator[list[DeadLetter]]:
        order = f"order by l._topic, l._partition, l._offset limit {PAGE}"
        behind = "(l._topic, l._partition, l._offset) > ({topic:String}, {partition:Int32}, {offset:Int64})"
        last = Place("", -1, -1)
        while page := self._letters(
            f"{LETTERS} where {condition} and {behind} {order}", {**parameters, **last._asdict()}
        ):
            yield page
            last = page[-1].place

    def _letters(self, sql: str, parameters: Mapping[str, Any]) -> list[DeadLetter]:
        return [_letter(row) for row in self.clickhouse.query_dicts(sql, parameters)]


def _letter(row: dict[str, Any]) -> DeadLetter:
    encoded = row.pop("encoded")
    original = None if encoded is None else b64decode(encoded)
    return DeadLetter(
        **{**row, "place": Place(*row["place"]), "original": original, "is_replayed": bool(row["is_replayed"])}
    )


def _condition(selection: Selection) -> str:
    conditions = {
        "(l._topic, l._partition, l._offset) in {places:Array(Tuple(String, Int32, Int64))}": selection.places,
        "l.reason in {reasons:Array(String)}": selection.reasons,
        "l._topic = {only_topic:String}": selection.topic,
        "l.first_seen_at >= parseDateTime64BestEffort({since:String}, 3, 'UTC')": selection.since,
        "l.first_seen_at < parseDateTime64BestEffort({until:String}, 3, 'UTC')": selection.until,
        "not has(s.replays, {replay:String})": True,
    }
    return " and ".join(condition for condition, is_given in conditions.items() if is_given)


def _parameters(selection: Selection, replay_id: str = "") -> dict[str, Any]:
    return {
        "places": [tuple(place) for place in selection.places],
        "reasons": list(selection.reasons),
        "only_topic": selection.topic or "",
        "since": selection.since.isoformat() if selection.since else "",
        "until": selection.until.isoformat() if selection.until else "",
        "transient": list(TRANSIENT),
        "replay": replay_id,
    }

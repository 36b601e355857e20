"""ClickHouse: rows are changed where they lie; where the person is part of a sorting key, they are written anew.

What takes the place of a value is put into tables of the erasure's own, and statements look it up there: ClickHouse
keeps the text of every mutation, and a text that names the person would be one more place to erase.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pyarrow as pa

from concord.contracts.behaviour import LATE_EVENTS, SESSIONS
from concord.contracts.derived import DEAD_LETTERS
from concord.contracts.events import EVENTS, EventType
from concord.contracts.model import Dataset
from concord.contracts.names import SPEED_DATABASE
from concord.contracts.tables import ORDERS, TOAST_PLACEHOLDER, USERS, as_change
from concord.erasure.changes import BY_TOPIC, erased_change
from concord.erasure.letters import erased_record
from concord.erasure.outcome import Done, Found
from concord.erasure.owners import owner_column
from concord.erasure.person import Person
from concord.erasure.values import CLICK_COLUMNS, ERASED, erased_event, personal, stand_in, token
from concord.gateways.clickhouse import ClickHouse

OWNER_EVENTS, SEARCH_MINUTES = "owner_events", "search_minutes"
"""Hand-written tables whose sorting key holds something of the person."""
SEARCH_VIEW = "search_minutes_of_events"

EVENTS_NOW, DEVICES_NOW, LETTERS_NOW, SEARCHES_NOW = (
    f"{SPEED_DATABASE}.erasing_{what}" for what in ("events", "devices", "letters", "searches")
)
HELPERS = {
    EVENTS_NOW: ("event_id String, " + ", ".join(f"{name} Nullable(String)" for name in CLICK_COLUMNS), "event_id"),
    DEVICES_NOW: ("device String, token String", "device"),
    LETTERS_NOW: ("place String, original String", "place"),
    SEARCHES_NOW: ("minute DateTime('UTC'), is_theirs UInt8", "minute"),
}
"""Columns and key of the erasure's own tables, by name."""
CLICKS = (EVENTS, LATE_EVENTS)
UNLOGGED = "settings log_queries = 0"
"""For what is asked by the person's own words: ``system.query_log`` would keep them."""
AT_ONCE = {"mutations_sync": "1"}
LOG_DAYS = timedelta(days=8)
"""Of ``system.query_log``: seven days after the day of the statement, as engines/clickhouse/config.xml.in has it."""
OLD_PARTS = timedelta(minutes=8)
"""How long ClickHouse keeps a part after a mutation has replaced it (``old_parts_lifetime``)."""
PLACE = "concat(_topic, '-', toString(_partition), '-', toString(_offset))"


def erase(store: ClickHouse, person: Person, apply: bool) -> Iterator[Done]:
    """Nobody else may write meanwhile: what the speed layer has in memory it would write again."""
    its = Erasing(store, person, apply)
    try:
        its.prepare()
        yield from its.profiles()
        yield from its.clicks()
        yield from its.letters()
    finally:
        its.tidy()


@dataclass(frozen=True)
class Erasing:
    """One erasure in one store."""

    store: ClickHouse
    person: Person
    apply: bool

    @property
    def asked(self) -> dict[str, Any]:
        return {"user": self.person.user_id, "devices": sorted(self.person.devices)}

    def prepare(self) -> None:
        self.tidy()
        for name, (columns, key) in HELPERS.items() if self.apply else ():
            self.store.command(f"create table {name} ({columns}) engine = Join(any, left, {key})")

    def tidy(self) -> None:
        for name in HELPERS if self.apply else ():
            self.store.command(f"drop table if exists {name}")

    def profiles(self) -> Iterator[Done]:
        """Change logs of users and orders; the views of current state are read from them."""
        for table, keys in ((USERS, [self.person.user_id]), (ORDERS, sorted(self.person.orders))):
            yield self._profile(table, keys)

    def _profile(self, table: Dataset, keys: Sequence[int]) -> Done:
        log, wanted = as_change(table).name, {c.name: stand_in(self.person.user_id, c) for c in personal(table)}
        left = {
            name: f"ifNull({name} not in ('{value}', '{TOAST_PLACEHOLDER}'), false)" for name, value in wanted.items()
        }
        where = f"id in ({', '.join(map(str, keys)) or 'null'}) and ({' or '.join(left.values())})"
        rows = self._count(log, where)
        values = ", ".join(f"{name} = if({left[name]}, '{value}', {name})" for name, value in wanted.items())
        return self._changed(log, values, where, rows)

    def clicks(self) -> Iterator[Done]:
        """Events, and what was made of them. Searches first: whose they are is told by the events."""
        events = {dataset.name: self._events(dataset.name) for dataset in CLICKS}
        self._look_up(EVENTS_NOW, [row for rows in events.values() for row in rows.values()])
        devices = [{"device": each, "token": token(self.person.salt, each)} for each in sorted(self.person.devices)]
        self._look_up(DEVICES_NOW, devices)
        yield self._searches()
        yield self._links()
        yield self._owned(OWNER_EVENTS, {})
        yield self._owned(SESSIONS.name, {"session_id": NEW_SESSION_ID})
        values = ", ".join(f"{name} = {_looked_up(name)}" for name in CLICK_COLUMNS)
        for name, rows in events.items():
            yield self._changed(name, values, HAS_NEW_VALUES, len(rows))
        self._count_searches_again()

    def _events(self, table: str) -> dict[str, dict[str, Any]]:
        """The person's events whose columns are to become other than they are, by id."""
        names = ", ".join(CLICK_COLUMNS)
        rows = self.store.query_dicts(
            f"select toString(event_id) as event_id, event_type, {names} from {table} where {OF_PERSON} {UNLOGGED}",
            self.asked,
        )
        new = {row["event_id"]: {"event_id": row["event_id"], **erased_event(row, self.person.salt)} for row in rows}
        was = {row["event_id"]: row for row in rows}
        return {key: row for key, row in new.items() if any(row[n] != was[key][n] for n in CLICK_COLUMNS)}

    def _searches(self) -> Done:
        """How many searches of the person still say for what; the minutes they fell into are noted."""
        left = self.store.query(
            f"select count() from {EVENTS.name} where {OF_PERSON} and event_type = '{EventType.SEARCH}' "
            f"and search_query != '{ERASED}' {UNLOGGED}",
            self.asked,
        )
        tokens = [token(self.person.salt, device) for device in self.person.devices]
        minutes = self.store.query(
            f"select distinct toUnixTimestamp(toStartOfMinute(occurred_at)) from {EVENTS.name} "
            f"where {OF_PERSON} and event_type = '{EventType.SEARCH}' {UNLOGGED}",
            {"user": self.person.user_id, "devices": [*self.person.devices, *tokens]},
        )
        rows = [{"minute": datetime.fromtimestamp(minute, UTC), "is_theirs": 1} for (minute,) in minutes]
        self._look_up(SEARCHES_NOW, rows)
        return Done(f"ClickHouse {SEARCH_MINUTES}", "searches overwritten", int(left[0][0]))

    def _count_searches_again(self) -> None:
        """These minutes, from the events as they are now, by the view that fills the table."""
        if not self.apply:
            return
        [(select,)] = self.store.query(
            "select as_select from system.tables where database = currentDatabase() and name = {view:String}",
            {"view": SEARCH_VIEW},
        )
        theirs = f"minute in (select minute from {SEARCHES_NOW})"
        self.store.command(f"alter table {SEARCH_MINUTES} delete where {theirs} settings {_settings(AT_ONCE)}")
        self.store.command(
            f"insert into {SEARCH_MINUTES} settings insert_deduplicate = 0 select * from ({select}) where {theirs}"
        )

    def _links(self) -> Done:
        names = [name for name in CLICK_COLUMNS if name in self._columns(OWNER_EVENTS)]
        rows = self._count(OWNER_EVENTS, HAS_NEW_VALUES) if self.apply else 0
        values = ", ".join(f"{name} = {_looked_up(name)}" for name in names)
        return self._changed(OWNER_EVENTS, values, HAS_NEW_VALUES, rows)

    def _owned(self, table: str, more: Mapping[str, str]) -> Done:
        """Rows of the person's devices, in every version."""
        if not self.apply:
            rows = self.store.query(
                f"select count() from {table} where owner in {{devices:Array(String)}} {UNLOGGED}", self.asked
            )
            return Done(f"ClickHouse {table}", "rows overwritten", int(rows[0][0]))
        return self._moved(table, {"owner": NEW_OWNER, **more}, f"owner in (select device from {DEVICES_NOW})")

    def letters(self) -> Iterator[Done]:
        """Their bytes; reason and place stay."""
        rows = self.store.query_dicts(
            f"select {PLACE} as place, _topic, _timestamp, hex(assumeNotNull(original)) as bytes from {DEAD_LETTERS.name} "
            "where match(ifNull(original, ''), {number:String}) "
            "or (has({topics:Array(String)}, _topic) and match(ifNull(original, ''), {key:String})) "
            "or arrayExists(word -> positionCaseInsensitive(ifNull(original, ''), word) > 0, {words:Array(String)}) "
            f"{UNLOGGED}",
            {
                "number": f'"user_id"\\s*:\\s*{self.person.user_id}\\b',
                "topics": list(BY_TOPIC),
                "key": rf"\b{self.person.user_id}\b",
                "words": list(self.person.sought),
            },
        )
        were = [(row, bytes.fromhex(row["bytes"])) for row in rows]
        new = [
            {"place": row["place"], "original": is_now}
            for row, was in were
            if (is_now := self._letter(row, was)) != was
        ]
        self._look_up(LETTERS_NOW, new)
        where = f"{PLACE} in (select place from {LETTERS_NOW})"
        yield self._changed(
            DEAD_LETTERS.name, f"original = joinGet('{LETTERS_NOW}', 'original', {PLACE})", where, len(new)
        )

    def _letter(self, row: Mapping[str, Any], original: bytes) -> bytes:
        if row["_topic"] in BY_TOPIC:
            return erased_change(original, BY_TOPIC[row["_topic"]], self.person)
        has_traces = self.person.pattern.search(original) is not None
        return erased_record(original, row["_timestamp"], self.person) if has_traces else original

    def _look_up(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        if self.apply and rows:
            self.store.insert_arrow(table, pa.Table.from_pylist(list(rows)), table)

    def _changed(self, table: str, values: str, where: str, rows: int) -> Done:
        if self.apply and rows:
            self.store.command(f"alter table {table} update {values} where {where} settings {_settings(AT_ONCE)}")
        return Done(f"ClickHouse {table}", "rows overwritten", rows)

    def _moved(self, table: str, values: Mapping[str, str], where: str) -> Done:
        """Written anew, then deleted as they were. Cut short between the two, the second run adds nothing twice."""
        rows = self._count(table, where)
        if rows:
            names = self._columns(table)
            select = ", ".join(f"{values[name]} as new_{name}" if name in values else name for name in names)
            known = f"{self.person.salt.hex()}{sorted(self.person.devices)}{rows}{table}"
            settings = {
                "insert_deduplication_token": f"'{sha256(known.encode()).hexdigest()}'",
                "insert_deduplicate": "1",
            }
            self.store.command(
                f"insert into {table} ({', '.join(names)}) settings {_settings(settings)} "
                f"select {select} from {table} where {where}"
            )
            self.store.command(f"alter table {table} delete where {where} settings {_settings(AT_ONCE)}")
        return Done(f"ClickHouse {table}", "rows overwritten", rows)

    def _columns(self, table: str) -> list[str]:
        rows = self.store.query(
            "select name from system.columns where database = currentDatabase() and table = {table:String} "
            "and default_kind = '' order by position",
            {"table": table},
        )
        return [row[0] for row in rows]

    def _count(self, table: str, where: str) -> int:
        return int(self.store.query(f"select count() from {table} where {where}")[0][0])


OF_PERSON = "(user_id = {user:Int64} or has({devices:Array(String)}, ifNull(anonymous_id, '')))"
HAS_NEW_VALUES = f"toString(event_id) in (select event_id from {EVENTS_NOW})"
NEW_OWNER = f"joinGet('{DEVICES_NOW}', 'token', owner)"
DIGEST = f"lower(hex(MD5(concat({NEW_OWNER}, '|', toString(first_event_id)))))"
NEW_SESSION_ID = (
    "toUUID(concat("
    + ", '-', ".join(
        f"substring({DIGEST}, {first}, {length})" for first, length in ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
    )
    + "))"
)
"""As :func:`concord.rules.sessions.session_id` has it of the owner's stand-in; a test holds the two equal."""


def _looked_up(name: str) -> str:
    return f"joinGet('{EVENTS_NOW}', '{name}', toString(event_id))"


def _settings(values: Mapping[str, str]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in values.items())


def scan(store: ClickHouse, person: Person) -> Iterator[Found]:
    """Every table by the classified columns of its contract, and every table's texts by the person's words."""
    for done in erase(store, person, apply=False):
        yield Found(done.place, done.count)
    for table, columns in _texts(store).items():
        yield Found(f"ClickHouse {table}, by words", _named(store, table, columns, person))
    yield _replaced_parts(store)
    yield _logged(store, person)


def _texts(store: ClickHouse) -> dict[str, list[tuple[str, str]]]:
    """Names and types of columns by table; not of views, which have what their tables have."""
    rows = store.query(
        "select table, name, type from system.columns where database = currentDatabase() and table in "
        "(select name from system.tables where database = currentDatabase() and engine like '%MergeTree') order by table, position"
    )
    tables: dict[str, list[tuple[str, str]]] = {}
    for table, name, kind in rows:
        tables.setdefault(table, []).append((name, kind))
    return tables


def _named(store: ClickHouse, table: str, columns: list[tuple[str, str]], person: Person) -> int:
    texts = [name for name, kind in columns if ("String" in kind or "JSON" in kind) and "AggregateFunction" not in kind]
    if not texts or not person.words:
        return 0
    owner = owner_column([name for name, _ in columns])
    is_ours = f" and ({owner} is null or {owner} = {{user:Int64}})" if owner else ""
    every = ", ' ', ".join(f"ifNull(toString({name}), '')" for name in texts)
    has_word = f"arrayExists(word -> position(lowerUTF8(concat({every}, '')), word) > 0, {{words:Array(String)}})"
    asked = {"user": person.user_id, "words": [text.lower() for text in person.words]}
    return int(store.query(f"select count() from {table} where {has_word}{is_ours} {UNLOGGED}", asked)[0][0])


def _replaced_parts(store: ClickHouse) -> Found:
    """No query reads them any more; the server deletes them by itself."""
    count, last = store.query(
        "select count(), max(remove_time) from system.parts where not active and database = currentDatabase()"
    )[0]
    until = _aware(last) + OLD_PARTS if count else None
    return Found(
        "ClickHouse, replaced parts on the disk", int(count), "the server deletes a part that was replaced", until
    )


def _logged(store: ClickHouse, person: Person) -> Found:
    """Statements of people who asked for the person by name; none of an erasure's does."""
    count, last = store.query(
        "select count(), max(event_time) from system.query_log "
        f"where arrayExists(word -> positionCaseInsensitiveUTF8(query, word) > 0, {{words:Array(String)}}) {UNLOGGED}",
        {"words": sorted(person.words)},
    )[0]
    until = _aware(last) + LOG_DAYS if count else None
    return Found("ClickHouse system.query_log", int(count), "its TTL of seven days", until)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

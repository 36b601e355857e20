"""The warehouse: published tables, the models' working copies and RAW alike, whatever schema a table lies in.

A table is erased by the names of its columns: those that a contract classifies as personal are, wherever they turn up.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from concord.contracts.documents import RAW_DOCUMENTS
from concord.contracts.events import EVENTS
from concord.contracts.histories import USER_HISTORY, VERSION
from concord.contracts.model import Column
from concord.contracts.tables import ORDERS, TOAST_PLACEHOLDER
from concord.contracts.warehouse import JOURNAL_PREFIX, RAW
from concord.dialects.snowflake import TABLES_BY_SCHEMA
from concord.erasure.outcome import Done, Found
from concord.erasure.owners import owner_column
from concord.erasure.periods import Version, joined
from concord.erasure.person import NAMES, Person
from concord.erasure.values import CLICK_COLUMNS, DEVICE_ID, ERASED, erased_event, personal, stand_in, token
from concord.errors import Misconfigured
from concord.gateways.snowflake import Snowflake
from concord.rules.sessions import owner_of, session_id

PERSONAL: Mapping[str, Column] = {
    column.name: column
    for datasets in TABLES_BY_SCHEMA.values()
    for dataset in datasets
    for column in personal(dataset)
}
"""Every classified column of the warehouse, by name."""

OWNER, SESSION_ID, FIRST_EVENT, EVENT_ID = "owner", "session_id", "first_event_id", "event_id"
ADDRESS = next(column.name for column in ORDERS.columns if column.personal)
FULL_NAME = "full_name"
LOAD_TABLES = "load_"
"""What a batch that was broken off leaves in RAW; the next one writes it anew."""
BOOKKEEPING = frozenset({"load_audit"})
TEMPORARY = f"{RAW}.erasing"
RETENTION = "DATA_RETENTION_TIME_IN_DAYS"
FAIL_SAFE = timedelta(days=7)
QUERY_HISTORY = timedelta(days=365)

Tables = dict[str, tuple[str, ...]]
"""Columns by table, in lower case; views are not among them."""


def erase(warehouse: Snowflake, person: Person, apply: bool) -> Iterator[Done]:
    """No batch may run meanwhile: what it has read it would write again."""
    its = Erasing(warehouse, person, apply)
    yield from its.load_tables()
    yield from its.profiles()
    yield from its.histories()
    yield from its.documents()
    yield from its.sessions()
    yield from its.events()


@dataclass(frozen=True)
class Erasing:
    """One erasure in one account."""

    warehouse: Snowflake
    person: Person
    apply: bool

    @cached_property
    def tables(self) -> Tables:
        rows = self.warehouse.query(
            "select lower(c.table_schema || '.' || c.table_name), lower(c.column_name) from information_schema.columns as c "
            "inner join information_schema.tables as t "
            "on t.table_schema = c.table_schema and t.table_name = c.table_name and t.table_catalog = c.table_catalog "
            "where t.table_type = 'BASE TABLE' and lower(c.table_schema) <> 'information_schema' "
            "and lower(c.table_catalog) = lower(%s) order by 1, c.ordinal_position",
            (self.warehouse.database,),
        )
        tables: dict[str, list[str]] = {}
        for table, column in rows:
            tables.setdefault(table, []).append(column)
        return {name: tuple(columns) for name, columns in tables.items() if not name.startswith(TEMPORARY.lower())}

    def load_tables(self) -> Iterator[Done]:
        prefix = f"{RAW}.{LOAD_TABLES}".lower()
        found = [name for name in self.tables if name.startswith(prefix) and name.split(".")[1] not in BOOKKEEPING]
        for name in found if self.apply else ():
            self.warehouse.execute(f"drop table if exists {name}")
        for name in found:
            self.tables.pop(name)
        yield Done("warehouse, tables of an unfinished load", "tables dropped", len(found))

    def profiles(self) -> Iterator[Done]:
        """Whatever has a name, an e-mail address or an address of orders in it."""
        for table, columns in self.tables.items():
            if {EVENT_ID, SESSION_ID}.isdisjoint(columns) and (owned := self._owned(columns)):
                yield self._profile(table, columns, *owned)

    def _owned(self, columns: Sequence[str]) -> tuple[str, Sequence[int]] | None:
        """By which column a table's rows are found, and which of its values are the person's."""
        if ADDRESS in columns:
            return "id", sorted(self.person.orders)
        owner = owner_column(columns)
        return (owner, [self.person.user_id]) if owner else None

    def _profile(self, table: str, columns: Sequence[str], key: str, keys: Sequence[int]) -> Done:
        wanted = {name: self._stand_in(PERSONAL[name]) for name in columns if name in PERSONAL}
        if not wanted or not keys:
            return Done(f"warehouse {table}", "rows overwritten", 0)
        left = {
            name: f"({name} is not null and {name} not in ('{v}', '{TOAST_PLACEHOLDER}'))" for name, v in wanted.items()
        }
        where = f"{key} in ({', '.join(map(str, keys))}) and ({' or '.join(left.values())})"
        values = ", ".join(f"{name} = iff({left[name]}, '{value}', {name})" for name, value in wanted.items())
        return self._changed(table, f"update {table} set {values} where {where}", where)

    def _stand_in(self, column: Column) -> str:
        """A full name is made of the others, and so is its stand-in."""
        if column.name == FULL_NAME:
            return " ".join([ERASED] * len(NAMES))
        return stand_in(self.person.user_id, column)

    def histories(self) -> Iterator[Done]:
        """What the person was once and is now reads the same: one version, as a history built anew would have it."""
        for table, columns in self.tables.items():
            if _is_named(table, USER_HISTORY.name):
                yield self._history(table, columns)

    def _history(self, table: str, columns: Sequence[str]) -> Done:
        theirs = f"from {table} where {USER_HISTORY.key[0]} = {self.person.user_id}"
        rows = self.warehouse.query(f"select {', '.join(columns)} {theirs} order by {VERSION.name}")
        left = joined([dict(zip(columns, row, strict=True)) for row in rows])
        if self.apply and len(left) < len(rows):
            self._write_history(table, columns, theirs, left)
        return Done(f"warehouse {table}", "versions joined", len(rows) - len(left))

    def _write_history(self, table: str, columns: Sequence[str], theirs: str, left: Sequence[Version]) -> None:
        """The next publication is told: until then, working copy and published table may differ by other changes too."""
        key, marks = ", ".join(USER_HISTORY.key), ", ".join(["%s"] * len(columns))
        journals = [name for name in self.tables if _is_named(name, JOURNAL_PREFIX + USER_HISTORY.name)]
        with self.warehouse.transaction():
            for journal in journals:
                self.warehouse.execute(f"insert into {journal} ({key}) select {key} {theirs}")
            self.warehouse.execute(f"delete {theirs}")
            values = [tuple(map(_naive, version.values())) for version in left]
            self.warehouse.execute_many(f"insert into {table} ({', '.join(columns)}) values ({marks})", values)

    def documents(self) -> Iterator[Done]:
        """Names of files about the person's orders; bytes and texts are in the lake alone."""
        digests = ", ".join(f"'{digest}'" for digest in sorted(self.person.documents)) or "null"
        where = f"sha256 in ({digests}) and name <> '{ERASED}'"
        table = f"{RAW}.{RAW_DOCUMENTS.name}"
        yield self._changed(table, f"update {table} set name = '{ERASED}' where {where}", where)

    def sessions(self) -> Iterator[Done]:
        """A session's identity is made of its owner: it follows, in every table that names the session."""
        having = {name: columns for name, columns in self.tables.items() if SESSION_ID in columns}
        owned = [name for name, columns in having.items() if {OWNER, FIRST_EVENT} <= {*columns}]
        new = {old: (is_now, owner) for name in owned for old, is_now, owner in self._sessions(name)}
        rows = [(old, is_now, owner) for old, (is_now, owner) in sorted(new.items())]
        if not self.apply or not rows:
            yield Done("warehouse, sessions", "rows overwritten", len(rows))
            return
        with self._given("old_id string, new_id string, owner string", rows) as given:
            # Tables with an owner last: the new identities are told from them.
            for name in sorted(having, key=lambda name: (name in owned, name)):
                values = f"{SESSION_ID} = given.new_id" + (f", {OWNER} = given.owner" if name in owned else "")
                yield self._merged(name, given, f"held.{SESSION_ID} = given.old_id", values)

    def _sessions(self, table: str) -> Iterator[tuple[str, str, str]]:
        for old, owner, first_event in self._of_devices(table, OWNER, (SESSION_ID, OWNER, FIRST_EVENT)):
            new = token(self.person.salt, owner)
            yield old, session_id(new, first_event), new

    def events(self) -> Iterator[Done]:
        """RAW's events and what is made of each."""
        raw = f"{RAW}.{EVENTS.name}".lower()
        new = {row[EVENT_ID]: row for row in self._events(raw)}
        names = (EVENT_ID, OWNER, *CLICK_COLUMNS)
        rows = [tuple(row[name] for name in names) for row in new.values()]
        if not self.apply or not rows:
            yield Done("warehouse, events", "rows overwritten", len(rows))
            return
        with self._given(", ".join(f"{name} string" for name in names), rows) as given:
            # RAW last: the others are told from it.
            tables = {name: columns for name, columns in self.tables.items() if EVENT_ID in columns}
            for name, columns in sorted(tables.items(), key=lambda item: (item[0] == raw, item[0])):
                changed = [each for each in (OWNER, *CLICK_COLUMNS) if each in columns]
                if changed:
                    values = ", ".join(f"{each} = given.{each}" for each in changed)
                    yield self._merged(name, given, f"held.{EVENT_ID} = given.{EVENT_ID}", values)

    def _events(self, raw: str) -> Iterator[dict[str, Any]]:
        names = (EVENT_ID, "event_type", "user_id", *CLICK_COLUMNS)
        for values in self._of_devices(raw, DEVICE_ID, names, f"user_id = {self.person.user_id}"):
            row = dict(zip(names, values, strict=True))
            new = erased_event(row, self.person.salt)
            if any(new[name] != row[name] for name in CLICK_COLUMNS):
                yield {**row, **new, OWNER: owner_of(new[DEVICE_ID], row["user_id"])}

    def _of_devices(
        self, table: str, column: str, names: Sequence[str], or_where: str = "false"
    ) -> list[tuple[Any, ...]]:
        devices = sorted(self.person.devices)
        used = f"{column} in ({', '.join(['%s'] * len(devices))})" if devices else "false"
        return self.warehouse.query(
            f"select {', '.join(names)} from {table} where {used} or {or_where}", devices or None
        )

    @contextmanager
    def _given(self, columns: str, rows: Sequence[Sequence[Any]]) -> Iterator[str]:
        """A table with these rows, for as long as the block lasts."""
        self.warehouse.execute(f"create or replace table {TEMPORARY} ({columns})")
        try:
            marks = ", ".join(["%s"] * len(rows[0]))
            self.warehouse.execute_many(f"insert into {TEMPORARY} values ({marks})", rows)
            yield TEMPORARY
        finally:
            self.warehouse.execute(f"drop table if exists {TEMPORARY}")

    def _merged(self, table: str, given: str, same: str, values: str) -> Done:
        rows = self.warehouse.execute(
            f"merge into {table} as held using {given} as given on {same} when matched then update set {values}"
        )
        return Done(f"warehouse {table}", "rows overwritten", rows)

    def _changed(self, table: str, statement: str, where: str) -> Done:
        rows = int(self.warehouse.query(f"select count(*) from {table} where {where}")[0][0])
        if self.apply and rows:
            self.warehouse.execute(statement)
        return Done(f"warehouse {table}", "rows overwritten", rows)


def scan(warehouse: Snowflake, person: Person, now: datetime) -> Iterator[Found]:
    """By the classified columns, then every table's texts by the person's words, then what time travel keeps."""
    its = Erasing(warehouse, person, apply=False)
    for step in (its.load_tables, its.profiles, its.histories, its.documents, its.sessions, its.events):
        for done in step():
            yield Found(done.place, done.count)
    for table, columns in text_columns(warehouse, its.tables).items():
        yield Found(f"warehouse {table}, by words", _named(warehouse, table, columns, its.tables[table], person))
    yield from _kept_by_account(warehouse, now)


def _is_named(table: str, name: str) -> bool:
    """Whatever schema it lies in."""
    return table.rpartition(".")[2] == name


def _naive(value: Any) -> Any:
    """Instants as the warehouse's tables have them: UTC without a zone."""
    return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value


def text_columns(warehouse: Snowflake, tables: Tables) -> Tables:
    """Of each table that has some, in the table's order: a full name may lie in two columns side by side."""
    rows = warehouse.query(
        "select lower(table_schema || '.' || table_name), lower(column_name) from information_schema.columns "
        "where upper(data_type) in ('TEXT', 'STRING', 'VARCHAR', 'VARIANT', 'OBJECT', 'ARRAY') and lower(table_catalog) = lower(%s)",
        (warehouse.database,),
    )
    texts = {(table, column) for table, column in rows}
    found = {table: tuple(name for name in columns if (table, name) in texts) for table, columns in tables.items()}
    return {table: columns for table, columns in sorted(found.items()) if columns}


def _named(warehouse: Snowflake, table: str, texts: Sequence[str], columns: Sequence[str], person: Person) -> int:
    if not person.words:
        return 0
    every = " || ' ' || ".join(f"coalesce({name}::string, '')" for name in texts)
    owner = owner_column(columns)
    is_ours = f" and ({owner} is null or {owner} = {person.user_id})" if owner else ""
    has_word = " or ".join([f"contains(lower({every}), %s)"] * len(person.words))
    words = [text.lower() for text in person.words]
    return int(warehouse.query(f"select count(*) from {table} where ({has_word}){is_ours}", words)[0][0])


def _kept_by_account(warehouse: Snowflake, now: datetime) -> Iterator[Found]:
    """A real account can show tables as they were, and keeps what it was asked; a local server does neither.

    The local one knows no such setting, which tells the two apart.
    """
    rows: list[tuple[Any, ...]] = []
    with suppress(Misconfigured):
        rows = warehouse.query(f"show parameters like '{RETENTION}' in database {warehouse.database}")
    days = next((int(row[1]) for row in rows if str(row[0]).upper() == RETENTION), None)
    if days is not None:
        kept_by = f"time travel of {days} days, and {FAIL_SAFE.days} days of fail-safe that Snowflake alone can read"
        yield Found("warehouse, tables as they were", 1, kept_by, now + timedelta(days=days) + FAIL_SAFE)
        asked = "ACCOUNT_USAGE.QUERY_HISTORY, with the texts of statements, those of this erasure among them"
        yield Found("warehouse, what it was asked", 1, asked, now + QUERY_HISTORY)

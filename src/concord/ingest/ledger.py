"""What a producer sent: every record before it is sent, and where Kafka put it once it says so.

One SQLite file per run. A record without an acknowledgement may or may not be in Kafka; one that is
not here was never sent.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self

SCHEMA = """
create table if not exists run (name text primary key, value text not null);
create table if not exists sent (seq integer primary key, event_id text not null, class text not null);
create table if not exists acknowledged (
    seq integer primary key references sent, topic text not null, partition integer not null, "offset" integer not null
);
create view if not exists ledger as select * from sent left join acknowledged using (seq);
"""


class EventClass(StrEnum):
    """What became of an event on its way; ``invalid:<fault>`` and FUTURE are dead letters at the other end."""

    VALID = "valid"
    OUT_OF_ORDER = "out_of_order"
    """Valid, but sent some seconds after later ones."""
    LATE = "late"
    """Valid, but it happened more than a day before."""
    DUPLICATE = "duplicate"
    """A copy of a valid record, byte for byte."""
    FUTURE = "future"
    """It claims to happen an hour or more from now."""


INVALID = "invalid:"
STORED = frozenset({EventClass.VALID, EventClass.OUT_OF_ORDER, EventClass.LATE})
"""Classes whose every event must be found exactly once at the other end."""


@dataclass(frozen=True)
class Entry:
    """One record. Its place is None until Kafka acknowledged it; the bytes of a broken one may hold no event id."""

    seq: int
    event_id: str
    event_class: str
    topic: str | None
    partition: int | None
    offset: int | None

    @property
    def is_dead_letter(self) -> bool:
        return self.event_class == EventClass.FUTURE or self.event_class.startswith(INVALID)


@dataclass(frozen=True)
class Total:
    """Records of one class."""

    sent: int
    acknowledged: int


class Ledger:
    """An open ledger; opened again, it goes on where it ended."""

    def __init__(self, path: Path | str) -> None:
        self.path = path
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.executescript(f"pragma journal_mode = wal; pragma synchronous = normal; {SCHEMA}")
        self._next = self._scalar("select coalesce(max(seq), 0) from sent") + 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def note(self, **facts: object) -> None:
        """Keep facts about the run: seed, rates, start."""
        self._write("insert or replace into run values (?, ?)", [(name, str(value)) for name, value in facts.items()])

    def notes(self) -> dict[str, str]:
        return dict(self._database.execute("select name, value from run"))

    def intend(self, records: Iterable[tuple[str, str]]) -> list[int]:
        """Write down records (event id, class) about to be sent; their numbers."""
        rows = [(seq, *record) for seq, record in enumerate(records, start=self._next)]
        self._write("insert into sent values (?, ?, ?)", rows)
        self._next += len(rows)
        return [row[0] for row in rows]

    def acknowledge(self, places: Iterable[tuple[int, str, int, int]]) -> None:
        """Write down where records (number, topic, partition, offset) are."""
        self._write("insert or replace into acknowledged values (?, ?, ?, ?)", places)

    def totals(self) -> dict[str, Total]:
        """Records per class."""
        statement = 'select class, count(*), count("offset") from ledger group by class order by class'
        rows = self._database.execute(statement)
        return {name: Total(sent, acknowledged) for name, sent, acknowledged in rows}

    def entries(self) -> Iterator[Entry]:
        """Every record in the order of sending."""
        statement = 'select seq, event_id, class, topic, partition, "offset" from ledger order by seq'
        return (Entry(*row) for row in self._database.execute(statement))

    def expected_events(self) -> set[str]:
        """Identities that must be stored exactly once: acknowledged, in a class that is stored."""
        return {entry.event_id for entry in self.entries() if entry.event_class in STORED and entry.offset is not None}

    def expected_dead_letters(self) -> set[tuple[str, int, int]]:
        """Places (topic, partition, offset) that must be in dead_letters exactly once."""
        return {
            (entry.topic, entry.partition, entry.offset)
            for entry in self.entries()
            if entry.is_dead_letter
            and entry.topic is not None
            and entry.partition is not None
            and entry.offset is not None
        }

    def _scalar(self, statement: str) -> int:
        return int(self._database.execute(statement).fetchone()[0])

    def _write(self, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
        with self._transaction():
            self._database.executemany(statement, rows)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("begin")
        try:
            yield
        except BaseException:
            self._database.execute("rollback")
            raise
        self._database.execute("commit")

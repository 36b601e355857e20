"""Changes of the shop as values, and the one place that carries them out."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from typing import Any, Protocol

from concord.contracts.model import Dataset
from concord.contracts.tables import ORDER_ITEMS, ORDERS, PRODUCTS, TABLES, USERS
from concord.gateways.postgres import Session
from concord.ingest.statements import columns_of, delete_where, insert_many, update_by_key

Row = Mapping[str, Any]


class ChangeKind(StrEnum):
    """What happens in a shop; each is one transaction."""

    OPENING = "opening"
    PLACE_ORDER = "place_order"
    ADVANCE_ORDER = "advance_order"
    CANCEL_ORDER = "cancel_order"
    DELETE_ORDER = "delete_order"
    REPRICE = "reprice"
    RESTOCK = "restock"
    DESCRIBE = "describe"
    NEW_PRODUCT = "new_product"
    NEW_USER = "new_user"
    EDIT_USER = "edit_user"
    DELETE_USER = "delete_user"


@dataclass(frozen=True)
class Insert:
    table: Dataset
    rows: Sequence[Row]


@dataclass(frozen=True)
class Update:
    """One row by its key; only the columns named are touched."""

    table: Dataset
    id: int
    values: Row


@dataclass(frozen=True)
class Delete:
    """Every row of ``table`` whose ``column`` is ``value``."""

    table: Dataset
    column: str
    value: int


Write = Insert | Update | Delete


@dataclass(frozen=True)
class Change:
    """One transaction."""

    kind: ChangeKind
    writes: tuple[Write, ...]


class Ids(Protocol):
    """Where new rows get their ids from."""

    def next(self, table: Dataset) -> int: ...


class CountedIds:
    """Ids from 1 on: for plans that no database sees."""

    def __init__(self) -> None:
        self._counters: dict[str, Iterator[int]] = {}

    def next(self, table: Dataset) -> int:
        return next(self._counters.setdefault(table.name, count(1)))


class SequenceIds:
    """Ids from the tables' own sequences, fetched in blocks, so that other writers never get the same."""

    BLOCK: Mapping[str, int] = {USERS.name: 50, PRODUCTS.name: 50, ORDERS.name: 200, ORDER_ITEMS.name: 500}

    def __init__(self, session: Session) -> None:
        self._session = session
        self._reserved: dict[str, list[int]] = {}

    def next(self, table: Dataset) -> int:
        reserved = self._reserved.setdefault(table.name, [])
        if not reserved:
            rows = self._session.query(
                "select nextval(pg_get_serial_sequence(%s, 'id')) from generate_series(1, %s)",
                (table.name, self.BLOCK[table.name]),
            )
            reserved.extend(sorted((id_ for (id_,) in rows), reverse=True))
        return reserved.pop()


def carry_out(session: Session, changes: Sequence[Change]) -> Counter[str]:
    """Commit the changes, one transaction each, in order; how many of each kind."""
    if changes:
        with session.pipeline() as pipeline:
            for change in changes:
                with session.transaction():
                    if lock := _lock(change):
                        session.prepared(lock)
                    for write in change.writes:
                        session.prepared(*_statement(write))
            pipeline.sync()
    return Counter(str(change.kind) for change in changes)


def _lock(change: Change) -> str | None:
    """Several tables are taken in the fence's order, whatever order they are written in: a fence never meets
    a writer that holds a table and waits for another one."""
    written = {write.table.name for write in change.writes}
    in_order = ", ".join(name for name in TABLES if name in written)
    return f"lock table {in_order} in row exclusive mode" if len(written) > 1 else None


def _statement(write: Write) -> tuple[str, Sequence[Any]]:
    match write:
        case Insert(table, rows):
            return insert_many(table), columns_of(table, rows)
        case Update(table, id_, values):
            return update_by_key(table, tuple(values)), (*values.values(), id_)
        case Delete(table, column, value):
            return delete_where(table, column), (value,)

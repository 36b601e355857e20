"""Sessions that are not final, held by owner."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from concord.rules.sessions import INACTIVITY_MS
from concord.speed.sessions.rows import HELD_SCHEMA, Flags, Numbers, flags, milliseconds

Keys = npt.NDArray[np.uint64]

SIDES: tuple[Literal["left", "right"], ...] = ("left", "right")

SPARE_ROWS = 200_000
"""So many rows may be out of date before the rows in use are copied together, and as many as are in use."""


def owner_keys(owners: pl.Series) -> Keys:
    """A number per owner; two owners may share one, so what is found by it is compared with the owner."""
    return owners.hash(0).to_numpy()


@dataclass
class OpenSessions:
    """An index in memory, sorted by owner's key, over blocks of rows that are never changed.

    Entries of one owner are in the order of its sessions. An entry names the row its session has now; rows
    that no entry names are left over from earlier micro-batches.
    """

    keys: Keys = field(default_factory=lambda: np.zeros(0, dtype=np.uint64))
    rows: Numbers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    ended: Numbers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    blocks: list[pl.DataFrame] = field(default_factory=lambda: [pl.DataFrame(schema=HELD_SCHEMA)])

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def bytes(self) -> int:
        """Memory of index and blocks, out-of-date rows included."""
        index = self.keys.nbytes + self.rows.nbytes + self.ended.nbytes
        return index + sum(int(block.estimated_size()) for block in self.blocks)

    def find(self, owners: pl.Series, columns: Sequence[str]) -> tuple[Numbers, Numbers, pl.DataFrame]:
        """Of these owners' sessions, in order: the owner's number, the entry, the columns."""
        keys = owner_keys(owners)
        low, high = (self._place(keys, side) for side in SIDES)
        many = high - low
        number = np.repeat(np.arange(len(keys)), many)
        entry = np.arange(len(number)) - np.repeat(np.cumsum(many) - many, many) + np.repeat(low, many)
        rows = self.read(entry, ["owner", *columns])
        is_owners = flags(rows["owner"] == owners.gather(number))
        return number[is_owners], entry[is_owners], rows.filter(is_owners)

    def read(self, entries: Numbers, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """The rows of these entries, one each and in this order."""
        wanted = self.rows[entries]
        order = np.argsort(wanted, kind="stable")
        found = self._read_in_order(wanted[order], columns or HELD_SCHEMA.names())
        return found if (order[1:] > order[:-1]).all() else found[np.argsort(order)]

    def by_row(self, entries: Numbers) -> Numbers:
        """The order of these entries in which they are read fastest."""
        return np.argsort(self.rows[entries], kind="stable")

    def grow(self, entries: Numbers, rows: pl.DataFrame) -> None:
        """Give these entries new rows."""
        self.rows[entries] = self._append(rows)
        self.ended[entries] = milliseconds(rows["ended_at"])

    def add(self, rows: pl.DataFrame) -> None:
        """New sessions; of one owner in order, and behind all that it has."""
        keys, numbers, ended = owner_keys(rows["owner"]), self._append(rows), milliseconds(rows["ended_at"])
        order = np.argsort(keys, kind="stable")
        place = np.searchsorted(self.keys, keys[order], side="right")
        self.keys = np.insert(self.keys, place, keys[order])
        self.rows = np.insert(self.rows, place, numbers[order])
        self.ended = np.insert(self.ended, place, ended[order])

    def remove(self, entries: Numbers) -> None:
        keeps = np.ones(len(self), dtype=bool)
        keeps[entries] = False
        self._keep(keeps)

    def remove_final(self, bound_ms: int) -> int:
        """Drop what :func:`concord.rules.sessions.is_closed` calls closed; says how many."""
        keeps = self.ended + INACTIVITY_MS >= bound_ms
        dropped = len(self) - int(keeps.sum())
        if dropped:
            self._keep(keeps)
        return dropped

    def tidy(self) -> None:
        """Copy the rows in use together once there are far more rows than that."""
        if sum(len(block) for block in self.blocks) <= 2 * len(self) + SPARE_ROWS:
            return
        order = np.argsort(self.rows)
        used = self.read(order)
        self.blocks = [used.rechunk()]
        self.rows[order] = np.arange(len(order))

    def _place(self, keys: Keys, side: Literal["left", "right"]) -> Numbers:
        """Sought in the order of the keys: neighbours are found several times as fast one after the other."""
        order = np.argsort(keys)
        place = np.empty(len(keys), dtype=np.int64)
        place[order] = np.searchsorted(self.keys, keys[order], side=side)
        return place

    def _keep(self, keeps: Flags) -> None:
        self.keys, self.rows, self.ended = self.keys[keeps], self.rows[keeps], self.ended[keeps]

    def _read_in_order(self, rows: Numbers, columns: Sequence[str]) -> pl.DataFrame:
        found, start, low = [self.blocks[0].select(columns)[:0]], 0, 0
        for block in self.blocks:
            high = int(np.searchsorted(rows, start + len(block)))
            if high > low:
                found.append(block.select(columns)[rows[low:high] - start])
            start, low = start + len(block), high
        return pl.concat(found)

    def _append(self, rows: pl.DataFrame) -> Numbers:
        start = sum(len(block) for block in self.blocks)
        self.blocks.append(rows.select(HELD_SCHEMA.names()).rechunk())
        return np.arange(start, start + len(rows))

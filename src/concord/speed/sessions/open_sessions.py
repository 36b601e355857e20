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

BLOCK_ROWS = 100_000
"""No block has more rows: this many are copied together at once, which takes a tenth of a second or two."""


def owner_keys(owners: pl.Series) -> Keys:
    """A number per owner; two owners may share one, so what is found by it is compared with the owner."""
    return owners.hash(0).to_numpy()


@dataclass
class Block:
    """Rows that are never changed, numbered from ``start`` on; the index names ``used`` of them."""

    start: int
    rows: pl.DataFrame
    used: int

    @property
    def end(self) -> int:
        return self.start + len(self.rows)


@dataclass
class OpenSessions:
    """An index in memory, sorted by owner's key, over blocks of rows, in the order of their numbers.

    Entries of one owner are in the order of its sessions. An entry names the row its session has now; rows
    that no entry names are left over from earlier micro-batches. A number is never given twice.
    """

    keys: Keys = field(default_factory=lambda: np.zeros(0, dtype=np.uint64))
    rows: Numbers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    ended: Numbers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    blocks: list[Block] = field(default_factory=list)
    end: int = 0

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def rows_held(self) -> int:
        """Rows in memory, out-of-date ones included."""
        return sum(len(block.rows) for block in self.blocks)

    @property
    def bytes(self) -> int:
        """Memory of index and blocks, out-of-date rows included."""
        index = self.keys.nbytes + self.rows.nbytes + self.ended.nbytes
        return index + sum(int(block.rows.estimated_size()) for block in self.blocks)

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
        """Give these entries new rows. An entry is there once."""
        self._release(self.rows[entries])
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

    def tidy(self, appended: int = 0) -> None:
        """Copy together what is in use of blocks that are small, or mostly out of date.

        Never all at once: of millions of sessions that would stop the stream for many seconds. A row that is
        appended makes one other out of date at most and is itself copied together once while it is new, so by
        twice as many rows as were ``appended`` the memory stays bounded by what is in use.
        """
        for _ in range(1 + 2 * appended // BLOCK_ROWS):
            chosen = self._untidy()
            used = sum(block.used for block in chosen)
            if used <= BLOCK_ROWS // 2 and sum(len(block.rows) for block in chosen) - used <= BLOCK_ROWS:
                return
            self._copy_together(chosen)

    def _untidy(self) -> list[Block]:
        """The oldest blocks of which little is in use, as many as make one."""
        chosen, used = [], 0
        for block in self.blocks:
            if block.used <= BLOCK_ROWS // 2 and used + block.used <= BLOCK_ROWS:
                chosen.append(block)
                used += block.used
        return chosen

    def _copy_together(self, chosen: list[Block]) -> None:
        bounds = np.array([bound for block in chosen for bound in (block.start, block.end)])
        entries = np.flatnonzero(np.searchsorted(bounds, self.rows, side="right") % 2)
        entries = entries[self.by_row(entries)]
        copied = self.read(entries)
        gone = {block.start for block in chosen}
        self.blocks = [block for block in self.blocks if block.start not in gone]
        self.rows[entries] = self._append(copied)

    def _place(self, keys: Keys, side: Literal["left", "right"]) -> Numbers:
        """Sought in the order of the keys: neighbours are found several times as fast one after the other."""
        order = np.argsort(keys)
        place = np.empty(len(keys), dtype=np.int64)
        place[order] = np.searchsorted(self.keys, keys[order], side=side)
        return place

    def _keep(self, keeps: Flags) -> None:
        self._release(self.rows[~keeps])
        self.keys, self.rows, self.ended = self.keys[keeps], self.rows[keeps], self.ended[keeps]

    def _release(self, rows: Numbers) -> None:
        """No entry names these rows any more."""
        block = np.searchsorted([block.start for block in self.blocks], rows, side="right") - 1
        for number, released in enumerate(np.bincount(block, minlength=len(self.blocks))):
            self.blocks[number].used -= int(released)

    def _read_in_order(self, rows: Numbers, columns: Sequence[str]) -> pl.DataFrame:
        found, low = [pl.DataFrame(schema=HELD_SCHEMA).select(columns)], 0
        for block in self.blocks:
            high = int(np.searchsorted(rows, block.end))
            if high > low:
                found.append(block.rows.select(columns)[rows[low:high] - block.start])
            low = high
        return pl.concat(found)

    def _append(self, rows: pl.DataFrame) -> Numbers:
        start = self.end
        for part in rows.select(HELD_SCHEMA.names()).iter_slices(BLOCK_ROWS):
            self.blocks.append(Block(self.end, _in_own_memory(part), len(part)))
            self.end += len(part)
        return np.arange(start, self.end)


def _in_own_memory(rows: pl.DataFrame) -> pl.DataFrame:
    """The same rows. Polars lets a slice, and texts picked out of others, keep the memory of all they come from."""
    return pl.DataFrame(rows.to_arrow(compat_level=pl.CompatLevel.oldest()))

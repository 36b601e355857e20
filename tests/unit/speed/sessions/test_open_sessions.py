"""The index of open sessions holds what it was told, whatever is copied together meanwhile, in bounded memory."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from concord.rules.sessions import INACTIVITY_MS
from concord.speed.sessions import open_sessions
from concord.speed.sessions.open_sessions import OpenSessions
from concord.speed.sessions.rows import HELD_SCHEMA

BLOCK_ROWS = 4
DEVICES = 12


def rows(sessions: Iterable[tuple[str, int]]) -> pl.DataFrame:
    """One row per (owner, end in milliseconds); nothing else is told of them."""
    told = list(sessions)
    owners, ends = [owner for owner, _ in told], [end for _, end in told]
    known = {"owner": pl.Series(owners, dtype=pl.String), "ended_at": pl.Series(ends, dtype=pl.Int64)}
    return pl.DataFrame(
        [
            known[name].cast(kind).alias(name) if name in known else pl.Series(name, [None] * len(told), dtype=kind)
            for name, kind in HELD_SCHEMA.items()
        ]
    )


@dataclass
class Twin:
    """The index, and beside it the ends of each owner's sessions as plain lists."""

    index: OpenSessions = field(default_factory=OpenSessions)
    ends: dict[str, list[int]] = field(default_factory=dict)

    def begin(self, owner: str, end: int) -> None:
        self.ends.setdefault(owner, []).append(end)
        self.index.add(rows([(owner, end)]))

    def grow(self, owners: set[str], by: int) -> None:
        """Each one's last session."""
        found = sorted(owner for owner in owners if self.ends.get(owner))
        number, entry, _ = self.index.find(pl.Series(found, dtype=pl.String), ["ended_at"])
        last = {int(n): int(e) for n, e in zip(number, entry, strict=True)}
        for owner in found:
            self.ends[owner][-1] += by
        grown = rows((owner, self.ends[owner][-1]) for owner in found)
        self.index.grow(np.array([last[n] for n in range(len(found))], dtype=np.int64), grown)

    def forget(self, bound: int) -> None:
        self.index.remove_final(bound)
        self.ends = {owner: [end for end in ends if end + INACTIVITY_MS >= bound] for owner, ends in self.ends.items()}

    def assert_same(self) -> None:
        owners = [owner for owner, ends in self.ends.items() if ends]
        number, _, found = self.index.find(pl.Series(owners, dtype=pl.String), ["ended_at"])
        held: dict[str, list[int]] = {owner: [] for owner in owners}
        for n, end in zip(number, found["ended_at"].to_physical(), strict=True):
            held[owners[n]].append(end)
        assert held == {owner: self.ends[owner] for owner in owners}
        assert len(self.index) == sum(map(len, self.ends.values()))
        assert sum(block.used for block in self.index.blocks) == len(self.index)
        assert all(len(block.rows) <= BLOCK_ROWS for block in self.index.blocks)


DEVICE = st.integers(0, DEVICES - 1).map("device {}".format)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("begin"), DEVICE, st.integers(0, 50)),
        st.tuples(st.just("grow"), st.sets(DEVICE), st.integers(1, 9)),
        st.tuples(st.just("forget"), st.integers(0, 60).map(lambda ms: INACTIVITY_MS + ms)),
    ),
    max_size=60,
)


@given(STEPS)
def test_it_holds_what_it_was_told(steps: list[tuple[object, ...]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(open_sessions, "BLOCK_ROWS", BLOCK_ROWS)
        twin = Twin()
        for name, *arguments in steps:
            getattr(twin, str(name))(*arguments)
            twin.index.tidy()
            twin.assert_same()


def test_memory_is_bounded_by_what_is_in_use_and_little_is_copied_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_sessions, "BLOCK_ROWS", 100)
    index, dice = OpenSessions(), np.random.default_rng(1)
    index.add(rows((f"device {n}", n) for n in range(5000)))
    for _ in range(300):
        entries = np.sort(dice.choice(5000, 50, replace=False))
        before = index.end
        index.grow(entries, index.read(entries))
        index.tidy(appended=50)
        assert index.end - before <= 50 + 2 * 100
    assert index.rows_held <= 2 * 5000 + 3 * 100
    assert sorted(index.read(np.arange(5000))["ended_at"].to_physical()) == list(range(5000))

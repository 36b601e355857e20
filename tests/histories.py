"""Made-up histories of a table, and what is left of them: the oracle for every dialect's state query."""

import random
from collections.abc import Sequence
from typing import Any

from concord.contracts.model import Dataset
from concord.contracts.position import Position
from concord.contracts.tables import TOAST_PLACEHOLDER, as_change
from tests.factories import change_row

Row = dict[str, Any]


def history(table: Dataset, seed: int, length: int = 60, keys: int = 5) -> list[Row]:
    """Changes as PostgreSQL makes them: created, updated with values left out, deleted, created anew.

    A key stays in one partition; offsets have gaps, as transaction markers leave them.
    """
    dice = random.Random(seed)
    alive: set[int] = set()
    changes: list[Row] = []
    for number in range(length):
        key = dice.randint(1, keys)
        op = dice.choice("uuud") if key in alive else dice.choice("cr")
        alive.discard(key) if op == "d" else alive.add(key)
        named = {"id": key, "_partition": key % 4, "__source_lsn": 1000 + number}
        changes.append(change_row(table, op, seed=number + 1, offset=number * 3, **named, **_large(table, op, dice)))
    return changes


def _large(table: Dataset, op: str, dice: random.Random) -> Row:
    """Values of the columns that an update may leave out; an honest null is among them."""
    if op == "d":
        return {}
    left_out = [TOAST_PLACEHOLDER] * 2 if op == "u" else []
    optional = as_change(table)
    nulls = {name: [None] if table[name].nullable else [] for name in table.toastable}
    return {name: dice.choice(["short", "ünï 🎁", "", *left_out, *nulls[name]]) for name in optional.toastable}


def state(table: Dataset, changes: Sequence[Row], until: Position | None = None) -> list[Row]:
    """Replay the changes one by one, the way a reader would who was there."""
    rows: dict[int, Row] = {}
    for change in sorted(changes, key=lambda each: each["_offset"]):
        if until is not None and not _is_held(change, until):
            continue
        before = rows.pop(change["id"], {})
        if change["__op"] != "d":
            rows[change["id"]] = _filled(table, change, before)
    return [rows[key] for key in sorted(rows)]


def _filled(table: Dataset, change: Row, before: Row) -> Row:
    kept = {name: before[name] for name in table.toastable if change[name] == TOAST_PLACEHOLDER}
    metadata = ("_topic", "_partition", "_offset", "__source_lsn")
    return {name: {**change, **kept}[name] for name in (*table.names, *metadata)}


def _is_held(change: Row, position: Position) -> bool:
    key = change["_topic"], change["_partition"]
    return any((topic, part) == key and change["_offset"] <= last for topic, part, last in position)


def cut_of(changes: Sequence[Row], seed: int) -> Position:
    """Somewhere inside the history, elsewhere in each partition; one partition is not held at all."""
    dice = random.Random(seed)
    last = max(change["_offset"] for change in changes)
    topic = changes[0]["_topic"]
    return Position.of((topic, partition, dice.randint(0, last)) for partition in range(3))

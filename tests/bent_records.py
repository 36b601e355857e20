"""Change records as a schema that is altered under them bends them: fields gone, added, null, of another type."""

import random
from collections.abc import Iterator
from typing import Any

from concord.contracts.model import Dataset
from tests.factories import change_record, to_bytes

VALUES = (
    None,
    True,
    0,
    -1,
    2**31,
    2**62,
    -(10**13),
    2.5,
    12345678.5,
    0.0001,
    7.0,
    1e22,
    "",
    "7",
    "12.5",
    "12.50000",
    "12.345",
    "123456789.00",
    "-99999999.99",
    "NaN",
    "1E3",
    "abc",
    "Ωmega 🎁",
    "2024-06-01",
    "2024-06-01T00:00:00",
    "2024-06-01T00:00:00Z",
    "2024-06-01T00:00:00.1234Z",
    "2024-06-01T02:00:00.120+02:00",
    "2024-02-30T00:00:00Z",
    "1899-12-31T23:59:59.999Z",
    "2300-01-01T00:00:00Z",
)


def bent_records(table: Dataset, seed: int, count: int) -> Iterator[bytes]:
    """Half of them are as they should be but for one or two fields, the others are sound."""
    dice = random.Random(f"{table.name} {seed}")
    for number in range(count):
        record = change_record(table, dice.choice("curd"), seed=number + 1)
        for _ in range(dice.choice((0, 0, 1, 2))):
            _bend(record, table, dice)
        yield to_bytes(record)


def _bend(record: dict[str, Any], table: Dataset, dice: random.Random) -> None:
    name = dice.choice((*table.names, "__ts_ms", "__source_lsn"))
    match dice.choice(("gone", "renamed", "added", "other", "other", "other")):
        case "gone":
            record.pop(name, None)
        case "renamed":
            record[f"new_{name}"] = record.pop(name, None)
        case "added":
            record[f"added_{dice.randint(1, 3)}"] = dice.choice(VALUES)
        case "other":
            record[name] = dice.choice(VALUES)

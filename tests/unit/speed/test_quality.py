"""Types and reasons of a micro-batch's records."""

import pyarrow as pa
import pytest

from concord.speed.quality import UNTOLD, Fate, KindCount, dead_kinds, kinds_of


def dead(*letters: tuple[bytes | None, str]) -> pa.Table:
    schema = pa.schema([("original", pa.binary()), ("reason", pa.string())])
    return pa.Table.from_pylist([dict(zip(schema.names, each, strict=True)) for each in letters], schema=schema)


def events(*types: str) -> pa.Table:
    return pa.table({"event_type": pa.array(types, pa.string())})


def test_events_are_counted_by_type_and_fate() -> None:
    counts = kinds_of(
        {Fate.STORED: events("SEARCH", "LOGIN", "SEARCH"), Fate.LATE: events("LOGIN"), Fate.DUPLICATE: events()}
    )
    assert sorted(counts, key=lambda kind: (kind.fate, kind.event_type)) == [
        KindCount("LOGIN", "late", 1),
        KindCount("LOGIN", "stored", 1),
        KindCount("SEARCH", "stored", 2),
    ]


def test_dead_letters_are_counted_by_type_and_reason() -> None:
    letters = [(b'{"event_type": "SEARCH"}', "missing_field")] * 2 + [(b'{"event_type":"LOGIN"}', "missing_field")]
    assert sorted(dead_kinds(dead(*letters)), key=lambda kind: kind.event_type) == [
        KindCount("LOGIN", "dead", 1, "missing_field"),
        KindCount("SEARCH", "dead", 2, "missing_field"),
    ]


@pytest.mark.parametrize(
    "original",
    [None, b"", b"\xff\xfe", b"[]", b'{"event_type": 7}', b'{"event_type": "PURGE"}', b'{"event_type": "\xff"}'],
)
def test_a_record_that_tells_no_type_that_there_is_counts_as_unknown(original: bytes | None) -> None:
    assert dead_kinds(dead((original, "not_json"))) == [KindCount(UNTOLD, "dead", 1, "not_json")]


def test_no_dead_letters_are_no_kinds() -> None:
    assert dead_kinds(dead()) == []

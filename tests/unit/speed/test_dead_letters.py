"""What of a dead letter goes into the table, and what into the topic."""

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from concord.contracts.derived import DEAD_LETTERS
from concord.contracts.names import MAX_DEAD_LETTER_BYTES, MAX_MESSAGE_BYTES
from concord.rules.violations import MAX_POINTER
from concord.speed import dead_letters as module
from concord.speed.batch_token import BatchToken
from concord.speed.dead_letters import (
    HELD_BYTES,
    SIZE_HEADER,
    StoreDeadLetters,
    copied,
    dead_letters,
    headers,
    source_position,
)

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
LONGEST_TOPIC = 249


def letter(offset: int, original: bytes | None = b"x", **named: Any) -> dict[str, Any]:
    place = {"_topic": "t", "_partition": 0, "_offset": offset, "_timestamp": AT}
    return {
        "reason": "not_json",
        "pointer": "",
        "detail": "",
        "original": original,
        "first_seen_at": AT,
        **place,
    } | named


class Store:
    """Holds letters by position."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.tokens: list[str] = []

    def query_arrow(self, sql: str, given: dict[str, pa.Table]) -> pa.Table:
        asked = {source_position(row) for row in given["letters"].to_pylist()}
        found = [row for row in self.rows if source_position(row) in asked]
        names = ["_topic", "_partition", "_offset"]
        return pa.table({name: [row[name] for row in found] for name in names})

    def insert_arrow(self, table: str, rows: pa.Table, deduplication_token: str) -> int:
        assert table == DEAD_LETTERS.name
        self.rows += rows.to_pylist()
        self.tokens.append(deduplication_token)
        return rows.num_rows


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr(module, "publish", lambda *_: None)
    return Store()


def bury(store: Store, *offsets: int, original: bytes = b"x") -> None:
    to_rest = StoreDeadLetters(store, "", "", BatchToken("q", "c", 1))  # type: ignore[arg-type]
    for offset in offsets:
        to_rest(dead_letters([letter(offset, original)]))
    to_rest.rest()


def test_a_letter_is_stored_once_however_the_parts_of_two_attempts_are_cut(store: Store) -> None:
    bury(store, 1, 5)
    bury(store, 1, 2, 5)
    bury(store, 2, 7)

    assert [row["_offset"] for row in store.rows] == [1, 5, 2, 7]
    assert len(set(store.tokens)) == 3


def test_letters_go_to_rest_together_unless_they_are_too_large_to_be_held(store: Store) -> None:
    bury(store, 1, 2, 3)
    assert len(store.tokens) == 1

    bury(store, 4, 5, 6, original=bytes(HELD_BYTES // 2))
    assert len(store.tokens) == 3
    assert [row["_offset"] for row in store.rows] == [1, 2, 3, 4, 5, 6]


def test_a_copy_is_whole_up_to_what_the_broker_takes_of_any_record() -> None:
    assert copied(None) is None
    assert copied(b"") == b""
    assert copied(bytes(MAX_MESSAGE_BYTES)) == bytes(MAX_MESSAGE_BYTES)
    assert copied(bytes(MAX_MESSAGE_BYTES + 1)) == bytes(MAX_MESSAGE_BYTES)


def test_a_copy_that_is_cut_off_says_how_large_the_original_is() -> None:
    assert SIZE_HEADER not in dict(headers(letter(1, bytes(MAX_MESSAGE_BYTES))))
    assert dict(headers(letter(1, bytes(MAX_MESSAGE_BYTES + 1))))[SIZE_HEADER] == b"4194305"


def test_the_dead_letter_topic_has_room_for_the_longest_key_and_headers() -> None:
    row = letter(
        2**63 - 1, bytes(MAX_MESSAGE_BYTES + 1), _topic="t" * LONGEST_TOPIC, pointer="\U0001f381" * MAX_POINTER
    )
    around = len(source_position(row)) + sum(len(name) + len(value) for name, value in headers(row))

    assert MAX_MESSAGE_BYTES + 4 * around < MAX_DEAD_LETTER_BYTES

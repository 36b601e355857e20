"""What was added is on the disk, and delivered at least once and forgotten at most when it was."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from threading import Thread

import pytest

from concord.contracts.audit import TRAIL, Action, Ending
from concord.errors import Unavailable
from concord.governance.entry import Entry, digest
from concord.governance.spool import FILE, Spool

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def entry(number: int) -> Entry:
    return Entry(
        f"id-{number}",
        NOON + timedelta(seconds=number),
        Action.READ,
        "sql",
        "ada@desk",
        store="lake",
        read_at={"orders": 4711},
        rows_out=number,
        seconds=Decimal("0.125"),
    )


def test_an_entry_has_the_columns_of_the_contract() -> None:
    assert tuple(entry(1).record()) == TRAIL.names


def test_an_entry_comes_back_from_its_line_as_it_was(tmp_path: Path) -> None:
    failed = Entry("x", NOON, Action.CHANGE, "dlq replay", "ada@desk", ending=Ending.FAILED, error="Unavailable")
    Spool(tmp_path).add([entry(1), failed])
    assert Spool(tmp_path).undelivered() == [entry(1), failed]


def test_what_was_delivered_is_forgotten_and_what_came_meanwhile_is_kept(tmp_path: Path) -> None:
    spool, sent = Spool(tmp_path), []
    spool.add([entry(1), entry(2)])

    def send(entries: list[Entry]) -> None:
        sent.extend(entries)
        spool.add([entry(3)])

    assert spool.deliver(send) == 2
    assert sent == [entry(1), entry(2)]
    assert spool.undelivered() == [entry(3)]


def test_what_could_not_be_delivered_stays(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.add([entry(1)])

    def away(_: list[Entry]) -> None:
        raise Unavailable("nobody answers")

    with pytest.raises(Unavailable):
        spool.deliver(away)
    assert spool.undelivered() == [entry(1)]


def test_nothing_to_deliver_sends_nothing(tmp_path: Path) -> None:
    assert Spool(tmp_path).deliver(lambda _: pytest.fail("sent")) == 0


def test_a_line_that_was_cut_off_harms_no_other(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.add([entry(1)])
    with (tmp_path / FILE).open("a") as file:
        file.write('{"entry_id": "torn", "beg')
    spool.add([entry(2)])
    assert spool.undelivered() == [entry(1), entry(2)]


def test_many_at_once_lose_nothing(tmp_path: Path) -> None:
    threads = [Thread(target=lambda number=number: Spool(tmp_path).add([entry(number)])) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each.rows_out or 0 for each in Spool(tmp_path).undelivered()) == list(range(16))


def test_white_space_does_not_make_another_statement() -> None:
    assert digest("select  1\n from t ") == digest("select 1 from t")
    assert digest("select 1 from t") != digest("select 2 from t")

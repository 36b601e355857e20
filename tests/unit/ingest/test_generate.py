"""The synthetic shop, decided before anything is carried out."""

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest

from concord.contracts.events import EventType
from concord.contracts.tables import ORDER_ITEMS, ORDERS, PRODUCTS
from concord.ingest.changes import Change, ChangeKind, CountedIds, Delete, Insert, Update
from concord.ingest.generate import TICK_SECONDS, Action, Plan, Shares, actions, ticks
from concord.ingest.ledger import INVALID, STORED, EventClass
from concord.ingest.pace import Pace
from concord.ingest.publish import Outgoing
from concord.rules.quality import Accepted, judge

START = datetime(2026, 5, 1, 12, tzinfo=UTC)
PLAN = Plan("test", seed=1, start=START, seconds=60, events_per_second=200, changes_per_second=50)


@pytest.fixture(scope="module")
def happening() -> list[Action]:
    return list(actions(PLAN, CountedIds()))


def records(happening: list[Action]) -> list[tuple[float, Outgoing]]:
    return [(action.offset, action.what) for action in happening if isinstance(action.what, Outgoing)]


def changes(happening: list[Action]) -> list[Change]:
    return [action.what for action in happening if isinstance(action.what, Change)]


def test_the_same_plan_gives_the_same_bytes(happening: list[Action]) -> None:
    assert list(actions(PLAN, CountedIds())) == happening


def test_another_name_gives_other_identities(happening: list[Action]) -> None:
    other = list(actions(Plan("other", 1, START, 5, 200, 50), CountedIds()))
    assert not {r.event_id for _, r in records(other)} & {r.event_id for _, r in records(happening)}


def test_rates_are_kept_to_the_record(happening: list[Action]) -> None:
    assert len(records(happening)) == 60 * 200
    assert sum(change.kind != ChangeKind.OPENING for change in changes(happening)) == 60 * 50


def test_actions_come_in_order_of_time_and_ticks_too(happening: list[Action]) -> None:
    offsets = [action.offset for action in happening]
    assert offsets == sorted(offsets)
    ends = [end for end, _ in ticks(iter(happening))]
    assert ends == sorted(set(ends))
    assert ends[-1] == pytest.approx(PLAN.seconds + TICK_SECONDS)


def test_the_judge_agrees_with_every_class(happening: list[Action]) -> None:
    for offset, record in records(happening):
        is_valid = isinstance(judge(record.value, START + timedelta(seconds=offset)), Accepted)
        assert is_valid == (record.event_class in {*STORED, EventClass.DUPLICATE}), record


def test_shares_come_out_as_asked(happening: list[Action]) -> None:
    classes = Counter(record.event_class.partition(":")[0] for _, record in records(happening))
    whole = classes.total()
    for name, share in (("invalid", 0.01), ("duplicate", 0.01), ("late", 0.005), ("out_of_order", 0.02)):
        assert share / 2 < classes[name] / whole < share * 2


def test_without_shares_everything_is_valid() -> None:
    clean = Plan("clean", 1, START, 5, 100, 10, shares=Shares(0, 0, 0, 0, 0))
    assert {record.event_class for _, record in records(list(actions(clean, CountedIds())))} == {"valid"}


def test_all_nine_types_occur(happening: list[Action]) -> None:
    valid = [orjson.loads(r.value or b"") for _, r in records(happening) if r.event_class == EventClass.VALID]
    assert {document["event_type"] for document in valid} == set(EventType)


def test_a_duplicate_is_byte_for_byte_an_earlier_record(happening: list[Action]) -> None:
    seen: dict[str, Outgoing] = {}
    for _, record in records(happening):
        if record.event_class == EventClass.DUPLICATE:
            assert (record.key, record.value) == (seen[record.event_id].key, seen[record.event_id].value)
        elif record.event_class in STORED:
            assert record.event_id not in seen
            seen[record.event_id] = record


def test_out_of_order_records_follow_records_that_happened_later(happening: list[Action]) -> None:
    latest = ""
    for _, record in records(happening):
        if record.event_class not in (EventClass.VALID, EventClass.OUT_OF_ORDER):
            continue
        occurred_at = orjson.loads(record.value or b"")["occurred_at"]
        if record.event_class == EventClass.OUT_OF_ORDER:
            assert occurred_at < latest
        latest = max(latest, occurred_at)


def test_a_late_event_is_more_than_a_day_old(happening: list[Action]) -> None:
    for offset, record in records(happening):
        if record.event_class == EventClass.LATE:
            occurred_at = datetime.fromisoformat(orjson.loads(record.value or b"")["occurred_at"])
            assert START + timedelta(seconds=offset) - occurred_at >= timedelta(hours=25)


def test_a_purchase_follows_its_order_and_tells_its_total(happening: list[Action]) -> None:
    totals: dict[int, str] = {}
    purchases = 0
    for action in happening:
        match action.what:
            case Change(kind=ChangeKind.PLACE_ORDER, writes=(Insert(rows=[row]), _)):
                totals[row["id"]] = f"{row['total_amount']:.2f}"
            case Outgoing(event_class=EventClass.VALID, value=bytes(value)) if b'"PURCHASE"' in value:
                document = orjson.loads(value)
                assert totals[document["order_id"]] == document["total_amount"]
                purchases += 1
    assert purchases > 100


def test_a_device_keeps_its_key_and_tells_its_user_only_after_login(happening: list[Action]) -> None:
    keys, known = defaultdict(set), set()
    for _, record in records(happening):
        if record.event_class != EventClass.VALID or record.value is None:
            continue
        document = orjson.loads(record.value)
        device = document["anonymous_id"]
        if device is None:
            assert (record.key, document["device_type"]) == (str(document["user_id"]), "server")
            continue
        keys[device].add(record.key)
        if document["event_type"] == EventType.LOGIN:
            known.add(device)
    assert all(len(found) == 1 for found in keys.values())
    assert known


def test_the_books_balance_after_every_change(happening: list[Action]) -> None:
    """Foreign keys hold, nothing is deleted twice, every total is the sum of its lines."""
    rows: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
    for change in changes(happening):
        for write in change.writes:
            apply(rows, write)
        for write in change.writes:
            if isinstance(write, Insert) and write.table is ORDERS:
                lines = [line for line in rows["order_items"].values() if line["order_id"] == write.rows[0]["id"]]
                assert sum(line["quantity"] * line["unit_price"] for line in lines) == write.rows[0]["total_amount"]
    assert all(order["user_id"] is None or order["user_id"] in rows["users"] for order in rows["orders"].values())
    assert all(line["order_id"] in rows["orders"] for line in rows["order_items"].values())
    assert {change.kind for change in changes(happening)} == set(ChangeKind)


def apply(rows: dict[str, dict[int, dict[str, Any]]], write: Insert | Update | Delete) -> None:
    held = rows[write.table.name]
    match write:
        case Insert(table, added):
            for row in added:
                assert row["id"] not in held
                assert set(row) <= set(table.names)
                held[row["id"]] = dict(row)
        case Update(_, id_, values):
            held[id_].update(values)
        case Delete(_, column, value):
            gone = [id_ for id_, row in held.items() if row[column] == value]
            assert gone
            for id_ in gone:
                del held[id_]


def test_prices_and_costs_are_exact(happening: list[Action]) -> None:
    for change in changes(happening):
        for write in change.writes:
            if isinstance(write, Insert) and write.table in (PRODUCTS, ORDER_ITEMS, ORDERS):
                amounts = [value for row in write.rows for value in row.values() if isinstance(value, Decimal)]
                assert all(amount == round(amount, 2) for amount in amounts)


def test_invalid_records_name_their_fault(happening: list[Action]) -> None:
    faults = {r.event_class for _, r in records(happening) if r.event_class.startswith(INVALID)}
    assert len(faults) > 20


def test_pace_keeps_its_schedule_and_makes_up_for_delays() -> None:
    clock = FakeClock()
    pace = Pace(10, clock.read, clock.sleep)
    seen = []
    for delay in (0, 0, 0.25, 0, 0):
        clock.time += delay
        pace.wait()
        seen.append(round(clock.time, 2))
    assert seen == [0, 0.1, 0.35, 0.35, 0.4]


def test_without_a_rate_there_is_no_waiting() -> None:
    clock = FakeClock()
    Pace(None, clock.read, clock.sleep).wait(1_000)
    assert clock.time == 0


class FakeClock:
    def __init__(self) -> None:
        self.time = 0.0

    def read(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds

"""Recorded visits as they are sent: what is stamped into them, and the ledger that voids a wrong run."""

import re
import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
import pytest

from concord.bench.at_rest import tier_differences
from concord.bench.content import HEAD_DIGITS, added, cents, content, first_eight
from concord.bench.expected import OF_WHAT_WAS_SENT, Total, Totals, differences
from concord.bench.publication import publication
from concord.bench.record import HOT_USER, Recording, Shares, record
from concord.bench.recorded import NOWHERE, Fate, Recorded, read, write
from concord.bench.replay import Replay
from concord.bench.schedule import steady
from concord.rules.quality import Accepted, Rejected, judge

EVENTS, SENT = 1_500, 2_000
START = 1_767_225_600_000
RUN = 4711


@pytest.fixture(scope="module")
def recorded(tmp_path_factory) -> Recorded:
    file = tmp_path_factory.mktemp("recorded") / "events.arrow"
    write(file, record(Recording(events=EVENTS, visitors=100, held=200)))
    return read(file)


@pytest.fixture(scope="module")
def replay(recorded) -> Replay:
    return Replay(recorded, steady(1000, 2, START), RUN)


@dataclass(frozen=True)
class Record:
    number: int
    key: bytes
    value: bytes | None
    fate: Fate


@pytest.fixture(scope="module")
def sent(recorded, replay) -> list[Record]:
    chunks = [chunk for first in range(0, SENT, 300) for chunk in replay.chunks(first, min(SENT, first + 300))]
    keys = [key for chunk in chunks for key in chunk.keys]
    values = [value for chunk in chunks for value in chunk.values]
    fates = recorded.numbers("fate")
    return [Record(n, keys[n], values[n], Fate(fates[n % EVENTS])) for n in range(SENT)]


def in_time(sent):
    return [record for record in sent if record.fate is Fate.STORED]


def ms(text):
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def received_at(number):
    return datetime.fromtimestamp((START + number) / 1000, UTC)


def test_records_are_judged_as_their_fate_says(sent):
    for each in sent:
        verdict = judge(each.value, received_at(each.number))
        assert isinstance(verdict, Rejected if each.fate is Fate.DEAD else Accepted), each


def test_broken_records_have_the_reason_that_was_recorded(sent, recorded):
    reasons = recorded.reasons
    for each in (each for each in sent if each.fate is Fate.DEAD):
        verdict = judge(each.value, received_at(each.number))
        assert isinstance(verdict, Rejected)
        assert str(verdict.reason) == reasons[each.number % EVENTS]


def test_the_intended_moment_is_in_every_event(sent):
    for each in in_time(sent):
        assert ms(orjson.loads(each.value)["received_at"]) == START + each.number


def test_an_event_out_of_order_happened_before_it_was_sent(sent):
    ago = [ms(e["received_at"]) - ms(e["occurred_at"]) for e in (orjson.loads(each.value) for each in in_time(sent))]
    assert min(ago) == 0
    assert any(0 < each <= 2000 for each in ago)


def test_late_events_are_a_day_old(sent):
    late = [orjson.loads(each.value) for each in sent if each.fate is Fate.LATE]
    assert late
    assert all(ms(e["received_at"]) - ms(e["occurred_at"]) > 24 * 3_600_000 for e in late)


def test_a_copy_is_the_original_byte_for_byte(sent):
    originals = {each.value for each in in_time(sent)}
    copies = [each for each in sent if each.fate is Fate.DUPLICATE]
    assert copies
    assert all(copy.value in originals for copy in copies)


def test_no_two_events_share_an_identity(sent):
    ids = [orjson.loads(each.value)["event_id"] for each in in_time(sent)]
    assert len(set(ids)) == len(ids)
    assert all(uuid.UUID(each).version == 4 for each in ids)


def test_devices_of_another_round_are_others(sent):
    devices = [{orjson.loads(each.value)["anonymous_id"] for each in in_time(part)} - {None}
               for part in (sent[:EVENTS], sent[EVENTS:])]  # fmt: skip
    assert not devices[0] & devices[1]
    assert all(re.fullmatch(f"{RUN:07}00000-1-[0-9]+", device) for device in devices[0])


def test_a_device_is_its_records_key(sent):
    for each in in_time(sent):
        document = orjson.loads(each.value)
        assert each.key.decode() == (document["anonymous_id"] or str(document["user_id"]))


def test_the_same_replay_gives_the_same_bytes(recorded, sent):
    again = Replay(recorded, steady(1000, 2, START), RUN)
    assert [value for chunk in again.chunks(0, SENT) for value in chunk.values] == [each.value for each in sent]


def test_the_recording_has_the_shares_it_was_asked_for(recorded):
    fates = recorded.fates(EVENTS * 3)
    assert fates == {name: 3 * count for name, count in recorded.fates(EVENTS).items()}
    assert 0.9 < fates["stored"] / (EVENTS * 3) < 0.99
    assert all(fates.values())


def test_a_part_that_a_broken_record_lacks_has_no_place(recorded):
    nulls = recorded.is_null.nonzero()[0]
    assert all(recorded.numbers("id_at")[row] == NOWHERE for row in nulls)


# --- the ledger ---


def row_of(event):
    """The hashes of one stored row, computed from what it says."""
    low = int(uuid.UUID(event["event_id"])) % 2**64
    head = int((event["anonymous_id"] or "0")[:HEAD_DIGITS]) if event["anonymous_id"] else 0
    times = ms(event["occurred_at"]) * 31 + ms(event["received_at"]) * 17 + head * 7
    hashes = (content(event), times, added(event))
    return Total(1, cents(event), *(low * each % 2**64 for each in hashes))


def at_rest(events, sent):
    """What a store without a fault says after a run; ``events`` are (table, row)."""
    found = Totals()
    for fate, count in Counter(each.fate for each in sent).items():
        found.count_fate(fate.name.lower(), count)
    for table, event in events:
        found.add(f"{table}/{event['event_type']}", row_of(event))
    for each in (each for each in sent if each.fate is Fate.DEAD):
        verdict = judge(each.value, received_at(each.number))
        assert isinstance(verdict, Rejected)
        found.add(
            f"dead_letters/{verdict.reason}", Total(1, content=first_eight(each.value) if each.value is not None else 0)
        )
    return found


@pytest.fixture(scope="module")
def published(recorded):
    return publication(recorded.seed)


@pytest.fixture(scope="module")
def stored(sent, published):
    """Enriched as they must be."""
    tables = {Fate.STORED: "events", Fate.LATE: "events_late"}
    came = [(tables[each.fate], orjson.loads(each.value)) for each in sent if each.fate in tables]
    return [(table, {**document, **published.added(document)}) for table, document in came]


@pytest.fixture(scope="module")
def expected(replay, sent) -> Totals:
    return replay.totals()


def test_a_run_in_which_all_is_right_stands(expected, stored, sent):
    assert differences(expected, at_rest(stored, sent)) == []


def test_a_lost_row_voids_the_run(expected, stored, sent):
    assert differences(expected, at_rest(stored[1:], sent))


def test_a_row_stored_twice_voids_the_run(expected, stored, sent):
    assert differences(expected, at_rest([*stored, stored[7]], sent))


def test_a_row_lost_and_another_of_its_type_stored_twice_voids_the_run(expected, stored, sent):
    of_type = [row for row in stored if row[1]["event_type"] == "PAGE_VIEW"]
    assert differences(expected, at_rest([*(row for row in stored if row is not of_type[0]), of_type[1]], sent))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("page_url", "https://shop.example.com/other"),
        ("user_id", 77),
        ("device_type", None),
        ("occurred_at", "2026-01-01T00:00:00.999Z"),
        ("received_at", "2026-01-01T00:00:00.999Z"),
        ("price", "0.01"),
        ("properties", {"simulated": False}),
        ("event_id", "00000000-0000-4000-8000-000000000000"),
        ("anonymous_id", "000471100007-1-1"),
        ("customer_tier", "none such"),
        ("product_category", "none such"),
        ("product_price", "0.01"),
    ],
)
def test_an_altered_row_voids_the_run(expected, stored, sent, field, value):
    table, event = stored[3]
    assert differences(expected, at_rest([*stored[:3], (table, {**event, field: value}), *stored[4:]], sent))


def test_what_is_added_is_not_compared_where_it_is_not_known(expected, stored, sent):
    bare = [(table, {**event, "customer_tier": None, "product_price": None}) for table, event in stored]
    assert differences(expected, at_rest(bare, sent))
    assert differences(expected, at_rest(bare, sent), OF_WHAT_WAS_SENT) == []


def test_a_late_row_in_the_wrong_table_voids_the_run(expected, stored, sent):
    moved = [("events", event) for _, event in stored]
    assert differences(expected, at_rest(moved, sent))


# --- the publication ---


def test_some_events_name_an_article_alone_and_some_prices_are_newer_than_the_catalogue(sent, published):
    events = [orjson.loads(each.value) for each in in_time(sent)]
    about = [event for event in events if event.get("product_id")]
    bare = [event for event in about if "price" not in event]
    assert 0.1 < len(bare) / len(about) < 0.3
    assert all(published.added(event)["product_price"] == published.catalogue[event["product_id"]][1] for event in bare)
    told = [event for event in about if "price" in event]
    assert any(str(published.catalogue[event["product_id"]][1]) != event["price"] for event in told)
    assert all(published.added(event)["product_price"] == event["price"] for event in told)


def test_tiers_have_the_shares_of_a_shop_and_a_newcomer_has_the_lowest(published):
    count = Counter(published.tiers.values())
    shares = [count[tier] / len(published.tiers) for tier in ("bronze", "silver", "gold", "platinum")]
    assert shares == pytest.approx([0.60, 0.25, 0.12, 0.03], abs=0.02)
    assert (published.tier(HOT_USER), published.tier(None)) == ("bronze", None)


def test_the_publication_follows_from_the_seed_that_the_file_names(recorded, published):
    assert (recorded.seed, publication(1)) == (1, published)
    assert publication(2) != published


def test_sessions_of_another_tier_than_their_users_are_counted(published):
    user = next(user for user, tier in published.tiers.items() if tier == "gold")
    right = [(user, "gold", 5), (None, None, 7), (HOT_USER, "bronze", 1)]
    assert tier_differences(right, published) == []
    assert tier_differences([*right, (user, "silver", 2), (None, "gold", 1)], published) == [
        "sessions: 1 of tier gold, None expected",
        "sessions: 2 of tier silver, gold expected",
    ]


# --- other mixtures ---


def test_a_hot_user_has_its_share_and_is_the_same_in_every_round():
    hot = Recorded(record(Recording(events=EVENTS, visitors=100, held=200, shares=Shares(hot=0.3))))
    replayed = Replay(hot, steady(1000, 3, START), RUN)
    keys = [key for chunk in replayed.chunks(0, 2 * EVENTS) for key in chunk.keys]
    key, count = Counter(keys).most_common(1)[0]
    assert key == str(HOT_USER).encode()
    assert 0.25 < count / len(keys) < 0.32


def test_a_recording_may_be_all_poison():
    shares = Shares(invalid=1.0, duplicate=0.0, late=0.0, out_of_order=0.0)
    poison = record(Recording(events=50, shares=shares, is_poison=True))
    assert set(poison["fate"].to_pylist()) == {Fate.DEAD}


def test_totals_add_up_over_parts():
    one = Totals({"events/LOGIN": Total(1, 2, 2**64 - 1, 4)}, {"stored": 1})
    other = Totals({"events/LOGIN": Total(1, 3, 2, 5), "events/SEARCH": Total(1)}, {"stored": 2, "dead": 1})
    both = one + other
    assert both.kinds == {"events/LOGIN": Total(2, 5, 1, 9), "events/SEARCH": Total(1)}
    assert (both.fates, both.records) == ({"stored": 3, "dead": 1}, 4)
    assert one.records == 1

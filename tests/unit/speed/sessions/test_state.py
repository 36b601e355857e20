"""What a micro-batch changes, what it need not read again, and what is forgotten."""

from decimal import Decimal

import polars as pl
import pytest

from concord.chaos.oracle import oracle
from concord.contracts.behaviour import SESSION_CATEGORIES, SESSIONS
from concord.contracts.events import EventType
from concord.rules.sessions import INACTIVITY_MS, session_id
from concord.speed.sessions import open_sessions
from concord.speed.sessions.open_sessions import OpenSessions
from tests.session_events import MINUTE, NOON, SpeedLayer, click, event_id, frame

PAGE, VIEW, CART, LOGIN, LOGOUT = (
    EventType.PAGE_VIEW,
    EventType.PRODUCT_VIEW,
    EventType.ADD_TO_CART,
    EventType.LOGIN,
    EventType.LOGOUT,
)


@pytest.fixture
def layer() -> SpeedLayer:
    return SpeedLayer()


def id_of(first: int, owner: str = "device") -> str:
    return session_id(owner, event_id(first))


def test_an_open_session_is_seen_from_its_first_event_and_grows(layer: SpeedLayer) -> None:
    first = layer.take(click(PAGE, 0, 1))
    second = layer.take(click(PAGE, 1, 2))
    assert first.before.is_empty()
    assert first.after["events"].to_list() == [1]
    assert second.before.equals(first.after)
    assert second.after.select("events", "version").row(0) == (2, 2)


def test_changes_have_the_columns_of_the_contract(layer: SpeedLayer) -> None:
    changes = layer.take(click(VIEW, 0, 1, product_category="a"))
    assert (*changes.after.columns, "written_at") == SESSIONS.names
    assert tuple(changes.categories_after.columns) == SESSION_CATEGORIES.names
    assert changes.before.schema == changes.after.schema


def test_events_behind_all_that_is_known_are_never_read_again(layer: SpeedLayer) -> None:
    for n in range(5):
        layer.take(click(PAGE, n * MINUTE, n), click(LOGIN, n * MINUTE + 1, 10 + n, user_id=n % 2 + 1))
    assert layer.reread_owners == []


def test_only_owners_with_an_event_out_of_order_are_read_again(layer: SpeedLayer) -> None:
    layer.take(click(PAGE, MINUTE, 1, "a"), click(PAGE, MINUTE, 2, "b"))
    layer.take(click(PAGE, 0, 3, "a"), click(PAGE, 2 * MINUTE, 4, "b"), click(PAGE, 0, 5, "c"))
    assert layer.reread_owners == ["a"]


def test_an_owner_is_read_from_the_first_session_within_reach(layer: SpeedLayer) -> None:
    layer.take(*(click(PAGE, n * 40 * MINUTE, n) for n in range(4)))
    asked: list[tuple[str, int]] = []

    def reread(owners: pl.DataFrame) -> pl.DataFrame:
        asked.extend(owners.rows())
        return layer.reread(owners)

    layer.state.update(frame([click(PAGE, 110 * MINUTE, 9)]), reread, 2)
    assert asked == [("device", NOON + 80 * MINUTE)]


def test_a_late_event_bridges_two_sessions_and_the_second_is_withdrawn(layer: SpeedLayer) -> None:
    layer.take(click(PAGE, 0, 1), click(PAGE, 50 * MINUTE, 2))
    changes = layer.take(click(PAGE, 25 * MINUTE, 3))
    assert set(layer.sessions) == {id_of(1)}
    assert changes.after.filter("is_withdrawn")["session_id"].to_list() == [id_of(2)]
    assert sorted(changes.before["session_id"]) == sorted([id_of(1), id_of(2)])


def test_a_session_that_starts_earlier_has_another_id(layer: SpeedLayer) -> None:
    layer.take(click(PAGE, MINUTE, 1))
    layer.take(click(PAGE, 0, 2))
    assert set(layer.sessions) == {id_of(2)}
    assert layer.written[id_of(1)]["is_withdrawn"]


def test_a_late_logout_cuts_a_session_and_its_categories(layer: SpeedLayer) -> None:
    layer.take(click(PAGE, 0, 1), click(VIEW, 2, 2, product_category="toys"))
    changes = layer.take(click(LOGOUT, 1, 3, user_id=7))
    assert [row["events"] for row in layer.sessions.values()] == [2, 1]
    withdrawn = changes.categories_after.filter("is_withdrawn")
    assert withdrawn.select("session_id", "product_category").rows() == [(id_of(1), "toys")]


def test_a_withdrawn_session_may_be_one_again(layer: SpeedLayer) -> None:
    layer.take(click(PAGE, 2, 1))
    layer.take(click(PAGE, 0, 2))
    changes = layer.take(click(LOGOUT, 1, 3, user_id=7))
    assert set(layer.sessions) == {id_of(1), id_of(2)}
    assert id_of(1) not in changes.before["session_id"]


def test_a_late_login_of_another_user_cuts_and_renames(layer: SpeedLayer) -> None:
    layer.take(click(LOGIN, 0, 1, user_id=7), click(PAGE, 2, 2), click(LOGIN, 3, 3, user_id=7))
    layer.take(click(LOGIN, 1, 4, user_id=8))
    assert [row["user_id"] for row in layer.sessions.values()] == [7, 8, 7]


def test_a_session_before_that_ended_in_the_same_millisecond_stays(layer: SpeedLayer) -> None:
    """Its last event lies where the next session is read from, and must not be taken into it."""
    events = click(LOGOUT, 0, 1, user_id=7), click(PAGE, 0, 2), click(PAGE, 30 * MINUTE, 3)
    late = click(PAGE, 30 * MINUTE + 1, 5), click(PAGE, 60 * MINUTE, 4), click(LOGIN, 45 * MINUTE, 6, user_id=7)
    layer.take(*events)
    layer.take(*late[:2])
    changes = layer.take(late[2])
    assert changes.before["session_id"].to_list() == changes.after["session_id"].to_list() == [id_of(2)]
    assert layer.sessions == oracle([*events, *late])


def test_a_late_event_goes_to_the_session_before_one_that_starts_in_its_millisecond(layer: SpeedLayer) -> None:
    layer.take(click(LOGIN, 0, 1, user_id=7), click(LOGIN, 10, 5, user_id=8))
    layer.take(click(PAGE, 10, 3))
    assert [layer.sessions[id_of(first)]["events"] for first in (1, 5)] == [2, 1]


def test_sessions_that_come_out_the_same_are_not_written_again(layer: SpeedLayer) -> None:
    layer.take(click(PAGE, 0, 1), click(LOGOUT, 1, 2, user_id=7), click(PAGE, 3, 3), click(LOGOUT, 4, 4, user_id=7))
    changes = layer.take(click(PAGE, 2, 5))
    assert id_of(1) not in changes.after["session_id"]
    assert layer.written[id_of(1)]["version"] == 1


def test_a_micro_batch_that_is_in_the_state_already_changes_nothing(layer: SpeedLayer) -> None:
    events = [click(PAGE, n * 20 * MINUTE, n, f"device {n % 2}") for n in range(6)]
    layer.take(*events)
    again = layer.changes(events)
    assert again.before.is_empty()
    assert again.after.is_empty()


def test_what_is_read_again_may_lack_the_micro_batchs_own_events(layer: SpeedLayer) -> None:
    layer.take(click(PAGE, 1, 1))
    new = click(PAGE, 0, 2)
    assert layer.changes([new]).after.filter(~pl.col("is_withdrawn"))["events"].to_list() == [2]


def test_an_update_leaves_the_state_as_it_is(layer: SpeedLayer) -> None:
    layer.take(click(PAGE, 10, 1, "a"), click(PAGE, 10, 2, "b"))
    new = click(PAGE, 20, 3, "a"), click(PAGE, 0, 4, "b"), click(PAGE, 0, 5, "c")
    layer.at_rest += new
    first, second = layer.changes(new), layer.changes(new)
    assert first.after.equals(second.after)
    assert layer.state.rows == 2


def test_changes_are_applied_once(layer: SpeedLayer) -> None:
    changes = layer.changes([click(PAGE, 0, 1)])
    layer.state.commit(changes)
    with pytest.raises(ValueError, match="revision"):
        layer.state.commit(changes)


def test_sessions_are_forgotten_once_nothing_can_change_them(layer: SpeedLayer) -> None:
    layer.take(click(PAGE, 0, 1, "a"), click(LOGOUT, 0, 2, "b", user_id=7))
    assert layer.state.settle(NOON + INACTIVITY_MS) == 0
    assert layer.state.settle(NOON + INACTIVITY_MS + 1) == 2
    assert (layer.state.rows, layer.state.settle(NOON + INACTIVITY_MS + 1)) == (0, 0)


def test_a_session_that_grows_is_held_longer(layer: SpeedLayer) -> None:
    layer.take(click(PAGE, 0, 1))
    layer.take(click(PAGE, MINUTE, 2))
    assert layer.state.settle(NOON + INACTIVITY_MS + MINUTE) == 0
    assert layer.state.settle(NOON + INACTIVITY_MS + MINUTE + 1) == 1


def test_changes_from_before_sessions_were_forgotten_are_refused(layer: SpeedLayer) -> None:
    layer.take(click(PAGE, 0, 1))
    changes = layer.changes([click(PAGE, 1, 2)])
    layer.state.settle(NOON + 2 * INACTIVITY_MS)
    with pytest.raises(ValueError, match="revision"):
        layer.state.commit(changes)


def test_a_micro_batch_without_events_changes_nothing(layer: SpeedLayer) -> None:
    assert layer.take().after.is_empty()
    layer.take(click(PAGE, 0, 1))
    assert layer.take().after.is_empty()
    assert layer.minutes


def test_a_state_made_from_rows_goes_on_as_the_lost_one_would(layer: SpeedLayer) -> None:
    layer.take(click(VIEW, 0, 1, product_category='"ü'), click(PAGE, 9, 2, "other"), click(PAGE, 1, 3, "other"))
    layer.restart()
    layer.take(click(CART, 1, 4, product_category='"ü', quantity=1, product_price=Decimal("0.10")))
    assert layer.sessions == oracle(layer.at_rest)
    assert layer.state.rows == 2


def test_owners_whose_keys_are_equal_are_told_apart(monkeypatch: pytest.MonkeyPatch, layer: SpeedLayer) -> None:
    monkeypatch.setattr(open_sessions, "owner_keys", lambda owners: owners.hash(0).to_numpy() % 2)
    devices = [f"device {n % 9}" for n in range(90)]
    for n, device in enumerate(devices):
        layer.take(click(LOGOUT if n % 4 else PAGE, n * 7 % 90, n, device, user_id=7))
    assert layer.sessions == oracle(layer.at_rest)


def test_rows_out_of_date_are_left_behind(monkeypatch: pytest.MonkeyPatch, layer: SpeedLayer) -> None:
    monkeypatch.setattr(open_sessions, "BLOCK_ROWS", 5)
    for n in range(50):
        layer.take(click(PAGE, n, n, "a"), click(PAGE, n, 100 + n, f"device {n % 3}"))
    assert layer.state.open.rows_held <= 2 * 4 + 3 * 5
    assert layer.sessions == oracle(layer.at_rest)
    assert layer.state.bytes > 0


def test_rows_are_read_in_the_order_asked_for(layer: SpeedLayer) -> None:
    for n in range(6):
        layer.take(click(PAGE, 0, n, f"device {n}"))
    held: OpenSessions = layer.state.open
    owners = held.read(held.by_row(pl.arange(6, eager=True).to_numpy()))["owner"].to_list()
    assert owners == [f"device {n}" for n in range(6)]
    assert held.read(held.by_row(pl.arange(6, eager=True).to_numpy())[::-1])["owner"].to_list() == owners[::-1]

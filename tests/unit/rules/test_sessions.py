"""What a session is, as far as one line of code can say it."""

import uuid
from hashlib import md5

from concord.contracts.events import EventType
from concord.rules.sessions import COUNT_OF, FUNNEL, FUNNEL_TIMES, INACTIVITY_MS, is_closed, owner_of, session_id


def test_an_event_belongs_to_its_device() -> None:
    assert owner_of("device", 7) == owner_of("device", None) == "device"


def test_an_event_without_a_device_belongs_to_its_user() -> None:
    assert owner_of(None, 7) == "user:7"


def test_an_empty_device_is_a_device() -> None:
    assert owner_of("", 7) == ""


def test_a_session_id_is_the_md5_of_owner_and_first_event() -> None:
    digest = md5("dévice|00000000-0000-0000-0000-000000000001".encode()).digest()
    assert session_id("dévice", "00000000-0000-0000-0000-000000000001") == str(uuid.UUID(bytes=digest))


def test_the_recipe_of_a_session_id_never_changes() -> None:
    assert session_id("device", "00000000-0000-0000-0000-000000000001") == "64147819-a13e-369f-cae3-45ef0f7dadac"


def test_a_session_is_closed_only_once_the_bound_is_more_than_30_minutes_past_its_end() -> None:
    assert INACTIVITY_MS == 1_800_000
    assert not is_closed(1_000, 1_000 + INACTIVITY_MS)
    assert is_closed(1_000, 1_001 + INACTIVITY_MS)


def test_the_funnel_has_a_time_for_each_step() -> None:
    assert len(FUNNEL) == len(FUNNEL_TIMES) == 4


def test_every_event_type_is_counted_in_a_column_of_its_own() -> None:
    assert set(COUNT_OF) == set(EventType)
    assert len(set(COUNT_OF.values())) == len(EventType)
    assert COUNT_OF[EventType.CHECKOUT_START] == "checkouts"
    assert COUNT_OF[EventType.REMOVE_FROM_CART] == "cart_removes"

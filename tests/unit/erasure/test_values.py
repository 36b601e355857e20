"""What stands in the place of personal data."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concord.contracts.events import EventType
from concord.contracts.tables import TOAST_PLACEHOLDER, USERS
from concord.erasure.owners import owner_column
from concord.erasure.values import TOKEN, erased_event, erased_link, is_erased, stand_in, token
from concord.rules.sessions import owner_of
from concord.rules.traffic import CLICK_IDS, HOSTS, MEDIA, NAMES, traffic_source
from tests import factories

SALT = b"salt"
LINKS = [
    (None, None),
    ("https://shop.example.com/ada", None),
    *((f"https://shop.example.com/?{name}=ada", None) for name in CLICK_IDS),
    *((f"https://shop.example.com/?utm_medium={words[0]}&who=ada", None) for words in MEDIA.values()),
    *((f"https://shop.example.com/?utm_source={words[-1]}", "https://google.com/") for words in NAMES.values()),
    *((None, f"https://{host}/search?q=ada") for hosts in HOSTS.values() for host in hosts),
    (None, "https://ada.example.org/me"),
    ("https://own.example.org/a", "https://own.example.org/b"),
    ("https://shop.example.com/?utm_source=ada", None),
]


@pytest.mark.parametrize(("page_url", "referrer"), LINKS)
def test_where_a_visit_came_from_is_all_that_a_link_goes_on_telling(page_url: str | None, referrer: str | None) -> None:
    erased = erased_link(page_url, referrer)
    assert traffic_source(*erased) == traffic_source(page_url, referrer)
    assert "ada" not in str(erased)
    assert erased_link(*erased) == erased


@given(st.text(min_size=1), st.text(min_size=1))
def test_devices_are_told_apart_by_their_tokens_and_a_token_stays(one: str, other: str) -> None:
    assert TOKEN.fullmatch(token(SALT, one))
    assert (token(SALT, one) == token(SALT, other)) == (one == other)
    assert token(b"another salt", token(SALT, one)) == token(SALT, one)


@pytest.mark.parametrize("event_type", EventType)
def test_an_event_is_erased_once(event_type: EventType) -> None:
    event = factories.event(
        event_type, anonymous_id="device", page_url="https://a/?utm_medium=cpc&ada", user_agent="ua"
    )
    erased = erased_event(event, SALT)
    assert erased["user_agent"] is None
    assert erased["properties"] is None
    assert (erased["search_query"] == "erased") == (event_type is EventType.SEARCH)
    assert erased_event({**event, **erased}, SALT) == erased
    assert owner_of(erased["anonymous_id"], 1) == token(SALT, "device")


def test_what_is_erased_is_known_as_such() -> None:
    email = USERS["email"]
    assert stand_in(42, email) == "erased-42@erased.invalid"
    assert is_erased(42, email, stand_in(42, email))
    assert not is_erased(42, email, stand_in(7, email))
    assert is_erased(42, USERS["first_name"], None)
    assert is_erased(42, USERS["first_name"], TOAST_PLACEHOLDER)


@pytest.mark.parametrize(
    ("columns", "owner"),
    [
        (("id", "user_id", "shipping_address"), "user_id"),
        (("customer_id", "email"), "customer_id"),
        (("id", "email", "first_name"), "id"),
        (("id", "sku", "name"), None),
        (("date", "customer_tier"), None),
    ],
)
def test_whose_row_it_is(columns: tuple[str, ...], owner: str | None) -> None:
    assert owner_column(columns) == owner

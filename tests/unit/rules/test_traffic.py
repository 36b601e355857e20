"""Where a visit came from, told by a function and by an expression: the same of every text."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from concord.rules.traffic import CLICK_IDS, HOSTS, MEDIA, NAMES, Source, traffic_source, traffic_source_expr

SHOP = "https://shop.example.com/products/1"

CASES = [
    (SHOP, None, Source.DIRECT),
    (SHOP, " ", Source.DIRECT),
    (None, None, Source.DIRECT),
    (SHOP, "https://search.example.com/", Source.SEARCH),
    (SHOP, "https://news.example.com/today", Source.NEWS),
    (SHOP, "https://social.example.com", Source.SOCIAL),
    (SHOP, "https://shop.example.com/cart", Source.INTERNAL),
    ("https://other.example.org/", "http://other.example.org/page", Source.INTERNAL),
    (SHOP, "HTTPS://WWW.Google.COM/search?q=x", Source.SEARCH),
    (SHOP, "https://mail.google.com/mail", Source.EMAIL),
    (SHOP, "https://news.google.com:443/", Source.NEWS),
    (SHOP, "https://user:secret@www.facebook.com/x", Source.SOCIAL),
    (SHOP, "https://notgoogle.com/", Source.REFERRAL),
    (SHOP, "https://google.com.evil.org/", Source.REFERRAL),
    (SHOP, "https://blog.example.org/?u=https://google.com", Source.REFERRAL),
    (SHOP, "about:blank", Source.REFERRAL),
    (None, "android-app://com.example", Source.REFERRAL),
    (f"{SHOP}?utm_medium=cpc&utm_source=google", None, Source.PAID),
    (f"{SHOP}?a=1&utm_medium=EMAIL#top", "https://search.example.com/", Source.EMAIL),
    (f"{SHOP}?utm_medium=unheard&utm_source=facebook", None, Source.SOCIAL),
    (f"{SHOP}?utm_source=google", None, Source.SEARCH),
    (f"{SHOP}?utm_source=flyer", "https://search.example.com/", Source.CAMPAIGN),
    (f"{SHOP}?utm_medium=", "https://search.example.com/", Source.SEARCH),
    (f"{SHOP}?my_utm_medium=cpc", None, Source.DIRECT),
    (f"{SHOP}#?utm_medium=cpc", None, Source.DIRECT),
    (f"{SHOP}?gclid=abc&utm_medium=email", None, Source.PAID),
    (f"{SHOP}?gclid=", None, Source.DIRECT),
]


@pytest.mark.parametrize(("page_url", "referrer", "source"), CASES)
def test_a_visit_came_from_where_its_first_event_says(
    page_url: str | None, referrer: str | None, source: Source
) -> None:
    assert traffic_source(page_url, referrer) is source
    assert by_expression([(page_url, referrer)]) == [source.value]


def test_every_host_of_the_table_is_told_by_itself_and_from_below() -> None:
    for source, hosts in HOSTS.items():
        for host in hosts:
            assert traffic_source(None, f"https://{host}/") is source
            assert traffic_source(None, f"https://a.b.{host}/") is source


def test_no_word_stands_for_two_sources() -> None:
    for table in (MEDIA, NAMES, HOSTS):
        words = [word for words in table.values() for word in words]
        assert len(words) == len(set(words))


PIECES = [
    *(
        "https://",
        "http://",
        "://",
        "/",
        "?",
        "&",
        "#",
        "=",
        "@",
        ":",
        ".",
        " ",
        "\n",
        "İ",
        "K",
        "ſ",
        "www.",
        "shop.example.com",
    ),
    *("utm_medium=", "utm_source=", "UTM_MEDIUM=", *(f"{name}=" for name in CLICK_IDS)),
    *(word for table in (MEDIA, NAMES) for words in table.values() for word in words[:2]),
    *(host for hosts in HOSTS.values() for host in hosts[:3]),
]
TEXT = st.none() | st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=9).map("".join)
LINK = st.lists(st.sampled_from(PIECES), max_size=5).map(lambda pieces: f"{SHOP}?{'&'.join(pieces)}")


@given(st.lists(st.tuples(TEXT | LINK, TEXT), max_size=20))
def test_function_and_expression_agree_on_every_text(visits: list[tuple[str | None, str | None]]) -> None:
    assert by_expression(visits) == [traffic_source(*visit).value for visit in visits]


def by_expression(visits: list[tuple[str | None, str | None]]) -> list[str]:
    visited = pl.DataFrame(visits, schema={"page_url": pl.String, "referrer": pl.String}, orient="row")
    return visited.select(traffic_source_expr("page_url", "referrer")).to_series().to_list()

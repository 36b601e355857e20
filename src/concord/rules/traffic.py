"""Where a visit came from, told from its first event: what the link says of itself, else who linked.

1. A click identifier of an advertiser in ``page_url`` → paid.
2. ``utm_medium`` in ``page_url``, where the table knows it; else ``utm_source``; else, if the link
   carries either of them, campaign.
3. The host of ``referrer``: none → direct, a known host or one below it → its source, the page's own
   host → internal, any other → referral.

The same table twice, as a function and as a polars expression; letters' case does not matter.
"""

import re
from collections.abc import Mapping
from enum import StrEnum

import polars as pl


class Source(StrEnum):
    """Values of ``traffic_source``."""

    DIRECT = "direct"
    SEARCH = "search"
    SOCIAL = "social"
    EMAIL = "email"
    PAID = "paid"
    NEWS = "news"
    REFERRAL = "referral"
    INTERNAL = "internal"
    CAMPAIGN = "campaign"


CLICK_IDS = ("gclid", "dclid", "msclkid", "gbraid", "wbraid")
"""Parameters that advertisers add to links paid for."""

MEDIA: Mapping[Source, tuple[str, ...]] = {
    Source.PAID: (
        "cpc",
        "ppc",
        "cpm",
        "cpv",
        "cpa",
        "paid",
        "paidsearch",
        "paid-social",
        "display",
        "banner",
        "retargeting",
    ),
    Source.EMAIL: ("email", "e-mail", "newsletter"),
    Source.SOCIAL: ("social", "social-network", "social-media"),
    Source.SEARCH: ("organic", "search"),
    Source.NEWS: ("news", "press"),
    Source.REFERRAL: ("referral", "affiliate", "partner"),
}
"""``utm_medium`` → source."""

NAMES: Mapping[Source, tuple[str, ...]] = {
    Source.EMAIL: ("newsletter", "email", "mailchimp"),
    Source.SOCIAL: ("facebook", "instagram", "twitter", "x", "linkedin", "pinterest", "reddit", "tiktok", "youtube"),
    Source.SEARCH: ("google", "bing", "duckduckgo", "yahoo", "ecosia", "baidu", "yandex"),
    Source.NEWS: ("news", "googlenews"),
}
"""``utm_source`` → source."""

HOSTS: Mapping[Source, tuple[str, ...]] = {
    Source.INTERNAL: ("shop.example.com",),
    Source.EMAIL: ("mail.google.com", "outlook.live.com", "mail.yahoo.com", "mail.proton.me"),
    Source.NEWS: ("news.example.com", "news.google.com", "news.ycombinator.com", "flipboard.com"),
    Source.SOCIAL: (
        *("social.example.com", "facebook.com", "instagram.com", "twitter.com", "x.com", "t.co", "linkedin.com"),
        *("lnkd.in", "pinterest.com", "reddit.com", "tiktok.com", "youtube.com", "mastodon.social", "bsky.app"),
    ),
    Source.SEARCH: (
        *("search.example.com", "google.com", "google.co.uk", "google.de", "google.fr", "bing.com", "duckduckgo.com"),
        *("search.yahoo.com", "ecosia.org", "baidu.com", "yandex.ru", "startpage.com", "qwant.com"),
    ),
}
"""Host of the referrer → source; hosts below one of them count as it does, unless they have a line of their own."""

SOURCE_OF_HOST = {host: source for source, hosts in HOSTS.items() for host in hosts}

BLANK = r"^[ \t\r\n]*$"
HOST = r"^[ \t\r\n]*[a-z][a-z0-9+.-]*://(?:[^/?#@]*@)?([a-z0-9.-]+)"
MEDIUM = r"^[^?#]*\?(?:[^#]*?&)?utm_medium=([^&#]*)"
NAME = r"^[^?#]*\?(?:[^#]*?&)?utm_source=([^&#]*)"
PAID_CLICK = rf"^[^?#]*\?(?:[^#]*?&)?(?:{'|'.join(CLICK_IDS)})=[^&#]"
KNOWN_HOST = rf"(?:^|\.)({'|'.join(re.escape(host) for host in SOURCE_OF_HOST)})$"
"""Read by Python and by polars alike, of text in lower case. The leftmost match is the longest known host."""


def traffic_source(page_url: str | None, referrer: str | None) -> Source:
    """Source of a visit whose first event carries these two."""
    page, came_from = (page_url or "").lower(), (referrer or "").lower()
    medium, name = _group(MEDIUM, page), _group(NAME, page)
    if re.search(PAID_CLICK, page):
        return Source.PAID
    if medium or name:
        return _listed(MEDIA, medium) or _listed(NAMES, name) or Source.CAMPAIGN
    if re.search(BLANK, came_from):
        return Source.DIRECT
    host = _group(HOST, came_from)
    is_own = host != "" and host == _group(HOST, page)
    return SOURCE_OF_HOST.get(_group(KNOWN_HOST, host)) or (Source.INTERNAL if is_own else Source.REFERRAL)


def traffic_source_expr(page_url: str, referrer: str) -> pl.Expr:
    """:func:`traffic_source` of two text columns, never null."""
    page, came_from = (pl.col(name).fill_null("").str.to_lowercase() for name in (page_url, referrer))
    link = pl.when(page.str.contains("?", literal=True)).then(page)  # few have parameters: spare the rest the search
    medium, name = (link.str.extract(pattern).fill_null("") for pattern in (MEDIUM, NAME))
    by_link = pl.coalesce(_listed_expr(MEDIA, medium), _listed_expr(NAMES, name), pl.lit(Source.CAMPAIGN.value))
    return (
        pl.when(link.str.contains(PAID_CLICK).fill_null(False))
        .then(pl.lit(Source.PAID.value))
        .when((medium != "") | (name != ""))
        .then(by_link)
        .when(came_from.str.contains(BLANK))
        .then(pl.lit(Source.DIRECT.value))
        .otherwise(_by_host(page, came_from.str.extract(HOST)))
    )


def _by_host(page: pl.Expr, host: pl.Expr) -> pl.Expr:
    by_table = {host: source.value for host, source in SOURCE_OF_HOST.items()}
    known = host.str.extract(KNOWN_HOST).replace_strict(by_table, default=None, return_dtype=pl.String)
    own = pl.when(known.is_null() & host.is_not_null()).then(page).str.extract(HOST)
    return pl.coalesce(known, pl.when(host == own).then(pl.lit(Source.INTERNAL.value)), pl.lit(Source.REFERRAL.value))


def _group(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found[1] if found else ""


def _listed(table: Mapping[Source, tuple[str, ...]], word: str) -> Source | None:
    return next((source for source, words in table.items() if word in words), None)


def _listed_expr(table: Mapping[Source, tuple[str, ...]], word: pl.Expr) -> pl.Expr:
    each = {word: source.value for source, words in table.items() for word in words}
    return word.replace_strict(each, default=None, return_dtype=pl.String)

"""What is left of a person in the lake's files: their words anywhere, their devices where a device is one."""

import pyarrow as pa

from concord.contracts.events import EVENTS_LANDING
from concord.contracts.tables import ORDERS, PRODUCTS, as_change
from concord.erasure.lake import hits_in
from concord.erasure.person import Person

ADA = Person(42, b"salt", frozenset({"ada@x.org"}), frozenset({"lamp"}))


def landed(*values: bytes) -> pa.Table:
    return pa.table({"value": pa.array(values, pa.binary())})


def test_an_article_that_is_called_like_a_device_is_no_hit() -> None:
    article = landed(b'{"id":1,"name":"lamp"}')
    assert hits_in(as_change(PRODUCTS).name, article, ADA, frozenset()) == 0
    click = landed(b'{"anonymous_id":"lamp"}')
    assert hits_in(EVENTS_LANDING.name, click, ADA, ADA.devices) == 1


def test_words_in_the_record_of_somebody_else_are_no_hit() -> None:
    records = landed(
        b'{"id":1,"user_id":43,"shipping_address":"c/o Ada@X.org"}',
        b'{"id":2,"user_id":42,"shipping_address":"c/o Ada@X.org"}',
        b'{"id":3,"user_id":null,"shipping_address":"c/o Ada@X.org"}',
        b'{"id":4,"user_id":42,"shipping_address":"erased"}',
    )
    assert hits_in(as_change(ORDERS).name, records, ADA, frozenset()) == 2

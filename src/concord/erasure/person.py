"""Whose data it is, and by what it is found."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from concord.contracts.behaviour import LATE_EVENTS
from concord.contracts.documents import DOCUMENT_SUBJECTS
from concord.contracts.events import EVENTS
from concord.contracts.personal import Personal
from concord.contracts.tables import ORDERS, TOAST_PLACEHOLDER, USERS, as_change
from concord.erasure.owners import OWNER_OF
from concord.erasure.records import documents, whole
from concord.erasure.values import DEVICE_ID, ERASED, TOKEN, is_erased
from concord.errors import Misconfigured
from concord.gateways.clickhouse import ClickHouse
from concord.gateways.kafka import Kafka
from concord.gateways.lake import Lake
from concord.gateways.object_store import ObjectStore
from concord.gateways.postgres import Postgres
from concord.gateways.snowflake import Snowflake

PROFILE = tuple(column for column in USERS.columns if column.personal)
EMAIL = next(column for column in PROFILE if column.personal is Personal.EMAIL)
NAMES = tuple(column for column in PROFILE if column.personal is Personal.NAME)


@dataclass(frozen=True)
class Stores:
    """Everything that may hold something of a person; ``warehouse`` as a role that may change RAW."""

    postgres: Postgres
    kafka: Kafka
    speed: ClickHouse
    lake: Lake
    documents: ObjectStore
    warehouse: Snowflake


@dataclass(frozen=True)
class Person:
    """``words`` name the person: addresses and full names. ``devices`` are those that were ever used by them.

    A device that has ever named the person is erased as a whole, what others did on it too.
    """

    user_id: int
    salt: bytes = field(repr=False)
    words: frozenset[str] = frozenset()
    devices: frozenset[str] = frozenset()
    orders: frozenset[int] = frozenset()
    documents: frozenset[str] = frozenset()

    @cached_property
    def sought(self) -> tuple[str, ...]:
        """Every text that a record of the person's must not go on holding, in order."""
        return tuple(sorted(self.words | self.devices))

    @cached_property
    def pattern(self) -> "re.Pattern[bytes]":
        """Finds the person's records by their bytes: the user by number, or by what must not be left in them."""
        return _any_of([rb'"user_id"\s*:\s*%d\b' % self.user_id, *self._traces()])

    @cached_property
    def traces(self) -> "re.Pattern[bytes] | None":
        """Finds what must not be left in a record: words anywhere, devices as whole texts."""
        return _any_of(self._traces()) if self.sought else None

    def _traces(self) -> list[bytes]:
        devices = {json.dumps(device, ensure_ascii=is_ascii) for device in self.devices for is_ascii in (True, False)}
        return _escaped(sorted({*self.words, *devices}))

    @cached_property
    def text_pattern(self) -> "re.Pattern[bytes] | None":
        """Finds the words anywhere; None if there are none. Devices are not among them: an article may be called alike."""
        return _any_of(_escaped(sorted(self.words))) if self.words else None


def _escaped(texts: Iterable[str]) -> list[bytes]:
    return [re.escape(text.encode()) for text in texts]


def _any_of(patterns: Iterable[bytes]) -> "re.Pattern[bytes]":
    return re.compile(b"|".join(patterns), re.IGNORECASE)


def find(stores: Stores, known: Person) -> Person:
    """``known`` and what the stores hold of that user beside it. Raises :class:`Misconfigured` if nobody has heard of them."""
    user = known.user_id
    profiles = list(_profiles(stores, user))
    if not profiles:
        raise Misconfigured(
            f"there is no user {user}, and none was ever captured", "concord sql postgres 'select id from users'"
        )
    orders = known.orders | _orders(stores, user)
    return Person(
        user,
        known.salt,
        known.words | {word for row in profiles for word in _words(user, row)},
        known.devices | {device for device in _devices(stores, user) if device and not TOKEN.fullmatch(device)},
        orders,
        known.documents | _documents(stores.lake, orders),
    )


def _profiles(stores: Stores, user: int) -> Iterator[dict[str, Any]]:
    """Every version of the person's row."""
    names = [column.name for column in PROFILE]
    question = f"select {', '.join(names)} from"
    log = as_change(USERS).name
    for row in stores.postgres.query(f"{question} users where id = %s", (user,)):
        yield dict(zip(names, row, strict=True))
    yield from stores.speed.query_dicts(f"{question} {log} where id = {{user:Int64}}", {"user": user})
    for change in documents(stores.lake.scan(log, ("value",)), user):
        if whole(change.get(OWNER_OF[USERS.name])) == user:
            yield {name: change.get(name) for name in names}


def _words(user: int, row: dict[str, Any]) -> Iterator[str]:
    """The address, and first and last name together: one of them alone is anybody's."""
    if not is_erased(user, EMAIL, row[EMAIL.name]):
        yield row[EMAIL.name]
    names = [row[column.name] for column in NAMES]
    if all(name and name.strip() and name not in (ERASED, TOAST_PLACEHOLDER) for name in names):
        yield " ".join(names)


def _orders(stores: Stores, user: int) -> set[int]:
    """Orders that were ever the person's."""
    log = as_change(ORDERS).name
    rows: Iterable[Any] = stores.postgres.query("select id from orders where user_id = %s", (user,))
    speed = stores.speed.query(f"select distinct id from {log} where user_id = {{user:Int64}}", {"user": user})
    lake = documents(stores.lake.scan(log, ("value",)), user)
    theirs = (whole(change.get("id")) for change in lake if whole(change.get(OWNER_OF[ORDERS.name])) == user)
    return {row[0] for row in [*rows, *speed]} | {order for order in theirs if order is not None}


def _devices(stores: Stores, user: int) -> set[str | None]:
    found = set(stores.lake.scan(EVENTS.name, (DEVICE_ID,), f"user_id = {user}")[DEVICE_ID].to_pylist())
    for dataset in (EVENTS, LATE_EVENTS):
        question = f"select distinct {DEVICE_ID} from {dataset.name} where user_id = {{user:Int64}}"
        found |= {row[0] for row in stores.speed.query(question, {"user": user})}
    return found


def _documents(lake: Lake, orders: frozenset[int]) -> set[str]:
    """Documents about the person's orders, by digest."""
    rows = lake.scan(DOCUMENT_SUBJECTS.name, ("sha256", "subject_id"), "subject = 'order'").to_pylist()
    wanted = {str(order) for order in orders}
    return {row["sha256"] for row in rows if row["subject_id"] in wanted}

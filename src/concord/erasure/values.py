"""What stands in the place of personal data: a function of the value's kind alone, so every store comes to the same."""

import hmac
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from concord.contracts.events import EVENT_TYPES, EVENTS, EventType
from concord.contracts.model import Column, Dataset
from concord.contracts.personal import Personal
from concord.contracts.tables import TOAST_PLACEHOLDER
from concord.rules.traffic import HOSTS, MEDIA, Source, traffic_source

ERASED = "erased"
TOKEN = re.compile(r"erased-[0-9a-f]{32}")
"""What a device becomes: rows of one device stay together, and nobody can tell which it was."""

HOST = "https://erased.invalid/"
DEVICE_ID, PAGE, REFERRER = "anonymous_id", "page_url", "referrer"

Row = Mapping[str, Any]


def personal(dataset: Dataset) -> tuple[Column, ...]:
    """The classified columns."""
    return tuple(column for column in dataset.columns if column.personal)


CLICK_COLUMNS = tuple(column.name for column in personal(EVENTS))
"""What is personal of an event."""


def stand_in(user_id: int, column: Column) -> str:
    """Of a value that names the person. An e-mail address stays one, and stays unique."""
    return f"erased-{user_id}@erased.invalid" if column.personal is Personal.EMAIL else ERASED


def is_erased(user_id: int, column: Column, value: object) -> bool:
    """True if nothing of the person is left in it; a placeholder of change capture never held anything."""
    return value is None or value in (stand_in(user_id, column), TOAST_PLACEHOLDER)


def token(salt: bytes, device: str) -> str:
    """The device's stand-in. Once the salt is thrown away, nobody can compute it again."""
    if TOKEN.fullmatch(device):
        return device
    return f"erased-{hmac.new(salt, device.encode(), sha256).hexdigest()[:32]}"


def erased_link(page_url: str | None, referrer: str | None) -> tuple[str | None, str | None]:
    """Page and referrer that say where a visit came from, and nothing else: traffic sources stay as they were told."""
    source = traffic_source(page_url, referrer)
    if source is Source.DIRECT:
        return None, None
    if source is Source.INTERNAL:
        return None, f"https://{HOSTS[source][0]}/"
    medium = ERASED if source is Source.CAMPAIGN else MEDIA[source][0]
    return f"{HOST}?utm_medium={medium}", None


def erased_event(event: Row, salt: bytes) -> dict[str, Any]:
    """The event's classified columns as they are to be. What its type demands stays there, as a word."""
    demanded = {c.name for c in EVENT_TYPES[EventType(event["event_type"])].columns if not c.nullable}
    erased: dict[str, Any] = {name: ERASED if name in demanded else None for name in CLICK_COLUMNS}
    device = event.get(DEVICE_ID)
    erased[DEVICE_ID] = None if device is None else token(salt, device)
    erased[PAGE], erased[REFERRER] = erased_link(event.get(PAGE), event.get(REFERRER))
    return erased

"""What a command does to the data leaves its row in the audit trail, whatever comes of it."""

import os
import pwd
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

from concord import bootstrap
from concord.contracts.audit import Action, Ending
from concord.errors import ConcordError
from concord.gateways.snowflake import Snowflake
from concord.governance.entry import Entry
from concord.governance.spool import Spool
from concord.governance.trail import deliver
from concord.settings import Settings
from concord.telemetry.clock import now

MILLISECOND = Decimal("0.001")


@dataclass
class Noted:
    """What becomes known on the way: of the whole, and of its parts."""

    facts: dict[str, Any] = field(default_factory=dict)
    parts: list[tuple[str, float, dict[str, Any]]] = field(default_factory=list)

    def note(self, **facts: Any) -> None:
        self.facts.update(facts)

    def part(self, name: str, seconds: float, **facts: Any) -> None:
        self.parts.append((name, seconds, facts))


@contextmanager
def audited(settings: Settings, action: Action, what: str, **facts: Any) -> Iterator[Noted]:
    """Runs its body; the entry is on the disk before anything else happens, so no answer is shown without one."""
    noted, begun_at, started = Noted(dict(facts)), now(), time.monotonic()
    ending: dict[str, Any] = {}
    try:
        yield noted
    except BaseException as error:
        ending = {"ending": Ending.FAILED, "error": type(error).__name__}
        raise
    finally:
        whole = _entry(action, what, begun_at, time.monotonic() - started, {**noted.facts, **ending})
        of_batch = {"batch_id": whole.batch_id}
        parts = [
            _entry(action, f"{what}: {name}", begun_at, seconds, {**of_batch, **part})
            for name, seconds, part in noted.parts
        ]
        if settings.secrets.is_dir():  # without them no store can have been asked
            spool(settings).add([whole, *parts])


def spool(settings: Settings) -> Spool:
    return Spool(settings.home / "audit")


def hand_in(settings: Settings) -> None:
    """Into the trail with what waits here, if the warehouse takes it now; else it waits on."""
    with suppress(ConcordError), bootstrap.snowflake(settings) as warehouse:
        deliver(spool(settings), warehouse)


def identity_of(warehouse: Snowflake) -> str:
    """As whom the warehouse was asked."""
    return f"{warehouse.user} as {warehouse.role}"


def _entry(action: Action, what: str, begun_at: datetime, seconds: float, facts: dict[str, Any]) -> Entry:
    took = Decimal(seconds).quantize(MILLISECOND)
    return Entry(str(uuid4()), begun_at, action, what, _who(), seconds=took, **facts)


def _who() -> str:
    """By the operating system's word, not by what the environment says."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = f"uid {os.getuid()}"
    return f"{name}@{socket.gethostname()}"

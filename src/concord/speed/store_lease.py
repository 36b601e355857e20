"""One driver at a time on checkpoints of the object store, whatever machine it runs on.

An object names the holder, who writes it anew every few seconds; each write is a compare-and-swap. No two
clocks are compared: a lease is free if it was given back, or did not change while somebody watched it.
"""

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Any, Protocol

import structlog

from concord.errors import ConcordError, Misconfigured, Unavailable
from concord.gateways.object_store import Versioned

log = structlog.get_logger()

PATH = "lease"
RENEW_SECONDS = 4.0
VALID_SECONDS = 12.0
"""A driver that could not renew for so long begins no micro-batch."""
SILENCE_SECONDS = 20.0
"""A lease that did not change for so long is its holder's no more."""
LOOK_SECONDS = 1.0


class Store(Protocol):
    """What a lease needs of the object store."""

    @property
    def address(self) -> str: ...

    def versioned(self, path: str) -> Versioned | None: ...

    def replace(self, path: str, content: bytes, version: str | None) -> str | None: ...


class Lost(ConcordError):
    """Another driver holds the lease now."""


@dataclass
class StoreLease:
    """``identity`` is the home folder's: a driver of the same folder, which the local lease admits alone, need not wait."""

    store: Store
    identity: str
    holder: str
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _version: str | None = None
    _renewed_at: float = 0.0
    _beat: int = 0

    def take(self) -> None:
        """Hold the lease afterwards. Raises :class:`Misconfigured` if another driver lives."""
        found = self.store.versioned(PATH)
        if found and not self._is_free(found):
            found = self._after_silence(found)
        if not self._write(found.version if found else None):
            raise self._taken(self.store.versioned(PATH))

    def renew(self) -> None:
        """Say that this driver lives. Raises :class:`Lost`; :class:`Unavailable` if the store does not answer."""
        if not self._write(self._version) and not self._was_written():
            raise Lost(f"another driver took the lease {self._place}: {_holder(self.store.versioned(PATH))}")

    def check(self) -> None:
        """Raises :class:`Unavailable` if the lease was not renewed of late."""
        silent = self.clock() - self._renewed_at
        if silent > VALID_SECONDS:
            raise Unavailable(
                f"the lease {self._place} could not be renewed for {silent:.0f} s", "see `concord status object-store`"
            )

    def give_back(self) -> None:
        """Leave it free for whoever comes next; if the store is away, whoever comes next will have to wait."""
        with suppress(Unavailable):
            self.store.replace(PATH, self._content(is_free=True), self._version)

    @property
    def _place(self) -> str:
        return f"{self.store.address}/{PATH}"

    def _write(self, version: str | None) -> bool:
        began_at = self.clock()
        self._beat += 1
        written = self.store.replace(PATH, self._content(), version)
        return written is not None and self._hold(written, began_at)

    def _was_written(self) -> bool:
        """A write may have come through though its answer did not."""
        began_at, found = self.clock(), self.store.versioned(PATH)
        return found is not None and self._is_mine(found) and self._hold(found.version, began_at)

    def _is_mine(self, found: Versioned) -> bool:
        told = _read(found)
        return (told.get("identity"), told.get("holder")) == (self.identity, self.holder)

    def _hold(self, version: str, since: float) -> bool:
        self._version, self._renewed_at = version, since
        return True

    def _content(self, is_free: bool = False) -> bytes:
        told = {"holder": self.holder, "identity": self.identity, "beat": self._beat, "is_free": is_free}
        return json.dumps(told).encode()

    def _is_free(self, found: Versioned) -> bool:
        told = _read(found)
        return bool(told.get("is_free")) or told.get("identity") == self.identity

    def _after_silence(self, found: Versioned) -> Versioned | None:
        log.info("waiting_for_lease", holder=_holder(found), seconds=SILENCE_SECONDS)
        began_at = self.clock()
        while self.clock() - began_at < SILENCE_SECONDS:
            self.sleep(LOOK_SECONDS)
            seen = self.store.versioned(PATH)
            if seen is None or self._is_free(seen):
                return seen
            if seen.version != found.version:
                raise self._taken(seen)
        return found

    def _taken(self, by: Versioned | None) -> Misconfigured:
        return Misconfigured(
            f"the speed layer runs already: {_holder(by)} holds {self._place}",
            "one driver per checkpoint: stop it first, or give this one a place of its own (spark.checkpoints)",
        )


def _read(found: Versioned) -> dict[str, Any]:
    try:
        return dict(json.loads(found.content))
    except ValueError:
        return {}


def _holder(found: Versioned | None) -> str:
    return str(_read(found).get("holder", "somebody")) if found else "nobody"


def die(reason: str) -> None:
    """At once: a driver that has lost its lease must not write another row."""
    log.error("lease_lost", reason=reason)
    os.kill(os.getpid(), signal.SIGKILL)


@dataclass
class Renewing:
    """Renews a lease in a thread of its own until it is stopped."""

    lease: StoreLease
    lost: Callable[[str], None] = die
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self._stop.wait(RENEW_SECONDS):
            try:
                self.lease.renew()
            except Lost as error:
                return self.lost(error.message)
            except ConcordError as error:
                log.warning("lease_not_renewed", reason=error.message)

    def stop(self) -> None:
        self._stop.set()


@contextmanager
def store_lease(store: Store, identity: str, holder: str) -> Iterator[StoreLease]:
    """Hold the lease until the end of the block; :meth:`StoreLease.check` tells whether it is still held."""
    lease = StoreLease(store, identity, holder)
    lease.take()
    renewing = Renewing(lease)
    thread = threading.Thread(target=renewing.run, name="lease", daemon=True)
    thread.start()
    try:
        yield lease
    finally:
        renewing.stop()
        thread.join()
        lease.give_back()


def identity_of(folder: Path) -> str:
    """The folder's own name for itself, made once. To be asked while the folder's local lease is held."""
    file = folder / "identity"
    if not file.exists():
        file.write_text(token_hex(16))
    return file.read_text()

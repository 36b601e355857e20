"""One driver at a time, over an object that is written by compare-and-swap."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from concord.errors import Misconfigured, Unavailable
from concord.gateways.object_store import Versioned
from concord.speed.store_lease import SILENCE_SECONDS, VALID_SECONDS, Lost, Renewing, StoreLease


@dataclass
class Store:
    """One object, and a clock that goes on while somebody sleeps."""

    found: Versioned | None = None
    writes: int = 0
    now: float = 0.0
    is_away: bool = False
    loses_answers: bool = False
    meanwhile: Callable[[], object] = lambda: None
    address: str = field(default="s3a://bucket/speed")

    def versioned(self, path: str) -> Versioned | None:
        return self.found

    def replace(self, path: str, content: bytes, version: str | None) -> str | None:
        if self.is_away:
            raise Unavailable("the object store is away")
        if version != (self.found.version if self.found else None):
            return None
        self.writes += 1
        self.found = Versioned(content, f"v{self.writes}")
        if self.loses_answers:
            raise Unavailable("timed out")
        return self.found.version

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.meanwhile()


@pytest.fixture
def store() -> Store:
    return Store()


def driver(store: Store, home: str) -> StoreLease:
    return StoreLease(store, home, f"process 1 on {home}", lambda: store.now, store.sleep)


def test_a_second_driver_is_refused_and_told_who_runs(store: Store) -> None:
    first = driver(store, "east")
    first.take()
    store.meanwhile = first.renew

    with pytest.raises(Misconfigured, match="process 1 on east holds s3a://bucket/speed/lease"):
        driver(store, "west").take()


def test_a_lease_that_is_renewed_no_more_is_taken_over_and_lost_to_its_holder(store: Store) -> None:
    frozen, second = driver(store, "east"), driver(store, "west")
    frozen.take()

    second.take()

    assert store.now >= SILENCE_SECONDS > VALID_SECONDS
    with pytest.raises(Unavailable, match="could not be renewed"):
        frozen.check()
    with pytest.raises(Lost, match="process 1 on west"):
        frozen.renew()
    second.renew()
    second.check()


def test_a_lease_given_back_is_free_at_once(store: Store) -> None:
    first = driver(store, "east")
    first.take()
    first.give_back()

    driver(store, "west").take()

    assert store.now == 0


def test_a_driver_that_was_killed_takes_its_own_lease_again_at_once(store: Store) -> None:
    driver(store, "east").take()

    driver(store, "east").take()

    assert store.now == 0


def test_of_two_who_find_no_lease_one_is_refused(store: Store) -> None:
    class Late(Store):
        def versioned(self, path: str) -> Versioned | None:
            return None

    late = Late(Versioned(b"{}", "v1"))

    with pytest.raises(Misconfigured, match="runs already"):
        driver(late, "west").take()


def test_a_store_that_is_away_for_a_moment_costs_nothing(store: Store) -> None:
    lease = driver(store, "east")
    lease.take()
    store.is_away = True
    with pytest.raises(Unavailable):
        lease.renew()
    store.now += VALID_SECONDS
    lease.check()
    store.is_away = False

    lease.renew()

    store.now += VALID_SECONDS
    lease.check()


def test_a_renewal_whose_answer_was_lost_is_found_again(store: Store) -> None:
    lease = driver(store, "east")
    lease.take()
    store.loses_answers = True
    with pytest.raises(Unavailable):
        lease.renew()
    store.loses_answers = False

    lease.renew()
    lease.renew()

    assert store.writes == 3


def test_a_lost_lease_ends_the_driver(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("concord.speed.store_lease.RENEW_SECONDS", 0)
    first = driver(store, "east")
    first.take()
    driver(store, "west").take()
    ends: list[str] = []

    Renewing(first, ends.append).run()

    assert "another driver took the lease" in ends[0]

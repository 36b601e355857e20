"""One erasure from end to end, and its proof."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from concord.contracts.position import Position
from concord.erasure import files, lake, source, speed, topics, warehouse
from concord.erasure.notes import Notes
from concord.erasure.outcome import Done, Found
from concord.erasure.person import Person, Stores, find
from concord.gateways.object_store import ObjectStore
from concord.gateways.object_store.bucket import Document

Step = Callable[[str], AbstractContextManager[None]]
"""Told what is done while it is done."""


@dataclass(frozen=True)
class Reader:
    """The layers' readers of Kafka, as far as an erasure must know of them.

    ``await_taken_in`` returns once both hold all that Kafka has; ``paused`` keeps the speed layer from writing;
    ``done_with`` says what no layer will ever read from Kafka again.
    """

    await_taken_in: Callable[[], None]
    paused: Callable[[], AbstractContextManager[None]]
    done_with: Callable[[], Position]


@dataclass(frozen=True)
class Places:
    """What else may hold something: buckets by name with the rule declared for them, and folders of files."""

    buckets: dict[str, ObjectStore]
    rule: Document
    folders: tuple[Path, ...]


def is_done(stores: Stores, notes: Notes, person: Person) -> bool:
    """An earlier erasure was proven, and nothing new has come since."""
    left = sum(done.count for done in source.erase(stores.postgres, person, apply=False))
    return not (notes.are_kept or person.sought or left)


def planned(stores: Stores, places: Places, notes: Notes, person: Person, held: Position) -> list[Done]:
    """What :func:`erase` would do now; nothing is changed."""
    again = notes.are_kept
    return [
        *source.erase(stores.postgres, person, apply=False),
        *speed.erase(stores.speed, person, apply=False),
        *lake.erase(stores.lake, person, apply=False, again=again),
        *lake.erase_objects(stores.documents, person, apply=False),
        *warehouse.erase(stores.warehouse, person, apply=False),
        *files.erase(places.folders, person, apply=False),
        *topics.erase(stores.kafka, person, held, apply=False),
    ]


def erase(stores: Stores, places: Places, notes: Notes, person: Person, reader: Reader, step: Step) -> list[Done]:
    """Erase the person; done again, there is nothing left to do. Cut short, it goes on where it was.

    The source first, so that nothing new of the person comes; then whatever is on its way is let arrive, because it
    could not be changed in flight; Kafka last, because a layer that starts again may read a piece of it once more.
    """
    again = notes.are_kept
    notes.write(person)
    with step("PostgreSQL"):
        done = list(source.erase(stores.postgres, person, apply=True))
    with step("let both layers take in what is on its way"):
        reader.await_taken_in()
    person = find(stores, person)
    notes.write(person)
    with reader.paused():
        with step("ClickHouse"):
            done += speed.erase(stores.speed, person, apply=True)
        with step("lake"):
            done += lake.erase(stores.lake, person, apply=True, again=again)
            done += lake.erase_objects(stores.documents, person, apply=True)
        with step("warehouse"):
            done += warehouse.erase(stores.warehouse, person, apply=True)
    with step("files"):
        done += files.erase(places.folders, person, apply=True)
    with step("Kafka"):
        done += topics.erase(stores.kafka, person, reader.done_with(), apply=True)
    return done


def prove(stores: Stores, person: Person, places: Places, now: datetime, step: Step) -> Iterator[Found]:
    """What every place holds of the person, old snapshots and versions included."""
    with step("read PostgreSQL"):
        yield from source.scan(stores.postgres, person)
    with step("read Kafka"):
        yield from topics.scan(stores.kafka, person)
    with step("read ClickHouse"):
        yield from speed.scan(stores.speed, person)
    with step("read the lake, old snapshots included"):
        yield from lake.scan(stores.lake, person)
        yield from lake.scan_objects(stores.documents, person)
    for name, bucket in places.buckets.items():
        yield lake.scan_versions(name, bucket, places.rule, now)
    with step("read the warehouse"):
        yield from warehouse.scan(stores.warehouse, person, now)
    with step("read files"):
        yield from files.scan(places.folders, person)

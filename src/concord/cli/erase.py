"""``concord erase``: a person's data out of every store, and the proof of it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Annotated

import typer

from concord import bootstrap
from concord.batch import maintain
from concord.batch.lease import lease
from concord.cli import hops, stream
from concord.cli.audited import audited
from concord.cli.demo import await_layers
from concord.cli.engines import display
from concord.cli.lake.bucket import declared
from concord.cli.output import AsJson, console, print_json, table
from concord.cli.progress import Steps
from concord.contracts.audit import Action
from concord.contracts.names import CHANGES_QUERY, EVENTS_QUERY
from concord.contracts.position import Position
from concord.contracts.warehouse import ADMINISTRATOR
from concord.erasure import run
from concord.erasure.notes import Notes
from concord.erasure.outcome import Done, Found
from concord.erasure.person import Person, Stores, find
from concord.erasure.run import Places, Reader
from concord.errors import Disagreement, Unavailable
from concord.gateways.object_store.bucket import Kind
from concord.platform import lifecycle
from concord.platform.supervisord import Supervisord
from concord.settings import Settings, load_settings
from concord.speed.checkpoints.standing import standing
from concord.telemetry.clock import now
from concord.telemetry.waiting import NotYet, wait_for

app = typer.Typer(help="Erase a person's data from every store.", no_args_is_help=True)

SPEED = "speed"
STORES = "postgres, kafka, speed, lake, warehouse"
FOLDERS = ("logs", "speed", "batch", "reconcile", "quality", "audit")
COMMIT_SECONDS = 120.0

UserId = Annotated[int, typer.Argument(metavar="ID", help="Customer number.", min=1)]
Prove = Annotated[
    bool, typer.Option("--prove", help="Then look for the person in every store, old snapshots included.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be erased, and change nothing.")]
LookFor = Annotated[
    list[str] | None,
    typer.Option(help="With --prove: a text of the person's to look for, once the notes are gone. May be given again."),
]
RoleName = Annotated[
    str,
    typer.Option("--role", help="Of the warehouse: owns its tables and sees persons."),
]


@app.callback()
def erase() -> None:
    """Erase a person's data from every store."""


@app.command("user")
def user(
    user_id: UserId,
    prove: Prove = False,
    dry_run: DryRun = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    look_for: LookFor = None,
    role: RoleName = ADMINISTRATOR,
    timeout: Annotated[
        float, typer.Option(help="Seconds to wait for the layers to take in what is on its way.")
    ] = 300.0,
    as_json: AsJson = False,
) -> None:
    """Overwrite what is personal of this user in every store, and delete what cannot be overwritten.

    Rows stay, with their keys, positions and amounts; nobody can undo it. With --prove, exit 6 if something is left
    that has no end.
    """
    settings = load_settings()
    stores, notes = stores_of(settings, role), Notes(settings.home / "erasures", user_id)
    steps = Steps(quiet=as_json)
    what = f"erase user {user_id}"
    with stores.warehouse, _alone(settings), audited(settings, Action.CHANGE, what, store=STORES) as noted:
        person = find(stores, notes.read())
        if dry_run:
            noted.note(rows_out=0)
            return _show(_planned(settings, stores, notes, person), None, as_json)
        done: list[Done] = []
        if not run.is_done(stores, notes, person):
            if not yes:
                typer.confirm(f"Erase user {user_id} from every store? Nobody can undo it.", abort=True)
            done = run.erase(stores, places_of(settings), notes, person, _reader(settings, timeout), steps.step)
        found = _proven(settings, stores, notes, look_for or (), steps) if prove else None
        noted.note(rows_out=sum(each.count for each in done), rows_rejected=_left(found or []))
    _show(done, found, as_json)
    _conclude(notes, done, found, as_json)


def _planned(settings: Settings, stores: Stores, notes: Notes, person: Person) -> list[Done]:
    return run.planned(stores, places_of(settings), notes, person, _done_with(settings))


def _proven(settings: Settings, stores: Stores, notes: Notes, words: Sequence[str], steps: Steps) -> list[Found]:
    noted = notes.read()
    person = replace(find(stores, noted), words=noted.words | {*words})
    return list(run.prove(stores, person, places_of(settings), now(), steps.step))


def _left(found: Sequence[Found]) -> int:
    return sum(each.hits for each in found if not each.is_settled)


def _conclude(notes: Notes, done: Sequence[Done], found: Sequence[Found] | None, as_json: bool) -> None:
    """Say what is to be done next. Notes are kept until nothing is left that has no end."""
    if found is None:
        again = f"concord erase user {notes.user_id} --prove"
        said = f"prove it: `{again}`" if notes.are_kept else "nothing to do"
        if not as_json:
            console.print(f"{said}", highlight=False)
        return
    if open_places := [each.place for each in found if not each.is_settled]:
        raise Disagreement(
            f"user {notes.user_id} is still found in {', '.join(open_places)}, and nothing says until when",
            f"notes are kept in {notes.path}; erase again",
        )
    notes.delete()
    if not as_json:
        console.print(f"user {notes.user_id} is erased; what was looked for is forgotten too", highlight=False)


def _show(done: Sequence[Done], found: Sequence[Found] | None, as_json: bool) -> None:
    if as_json:
        print_json(
            {"done": [asdict(each) for each in done], "found": None if found is None else [asdict(f) for f in found]}
        )
        return
    if rows := [(each.place, each.what, each.count) for each in done if each.count]:
        console.print(table("Erased", ["place", "what", "count"], rows))
    if found is not None:
        searched = len({each.place for each in found})
        console.print(
            f"{searched} places searched, {sum(not each.hits for each in found)} without a hit", highlight=False
        )
        if rows_left := [(each.place, each.hits, each.kept_by or "?", _until(each)) for each in found if each.hits]:
            console.print(table("Left", ["place", "hits", "what keeps it", "until"], rows_left))


def _until(found: Found) -> str:
    return f"{found.until:%Y-%m-%d %H:%M} UTC" if found.until else "no end"


def stores_of(settings: Settings, role: str = ADMINISTRATOR) -> Stores:
    """As those who may change what is there."""
    return Stores(
        postgres=bootstrap.postgres(settings),
        kafka=bootstrap.kafka(settings),
        speed=bootstrap.clickhouse(settings, "admin"),
        lake=bootstrap.lake(settings),
        documents=bootstrap.document_store(settings),
        warehouse=bootstrap.administrator(settings, role),
    )


def places_of(settings: Settings) -> Places:
    """Buckets, and the folders of home in which Concord writes what it is told."""
    buckets = {"lake": bootstrap.lake_bucket(settings), "documents": bootstrap.document_store(settings)}
    return Places(buckets, declared(Kind.LIFECYCLE), tuple(settings.home / name for name in FOLDERS))


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """No batch and no maintenance: what one has read it would write again."""
    folder = settings.home / "batch"
    with lease(folder), lease(folder, maintain.LEASE):
        yield


def _reader(settings: Settings, timeout: float) -> Reader:
    return Reader(
        await_taken_in=lambda: await_layers(settings, timeout),
        paused=lambda: _paused(settings),
        done_with=lambda: _done_with(settings),
    )


@contextmanager
def _paused(settings: Settings) -> Iterator[None]:
    """The speed layer stands still, and forgets what it had in memory."""
    supervisord = Supervisord(settings.home)
    is_supervised = supervisord.is_running() and SPEED in supervisord.states()
    if is_supervised:
        supervisord.stop(SPEED)
    try:
        with stream.alone(settings):
            yield
    finally:
        if is_supervised:
            with display() as shown:
                lifecycle.start(settings, [SPEED], shown)


def _done_with(settings: Settings) -> Position:
    """What the lake holds and the speed layer has committed: a micro-batch that is not may be read once more."""
    held = bootstrap.clickhouse(settings, "writer").position()

    def committed() -> Position | None:
        folder = stream.checkpoints(settings)
        found = [standing(folder, query) for query in (CHANGES_QUERY, EVENTS_QUERY)]
        offsets = {place: end - 1 for each in found if each for place, end in each.next_offsets.items()}
        return Position(offsets) if Position(offsets).covers(held) else None

    try:
        return wait_for(committed, COMMIT_SECONDS).cut(hops.lake_position(settings))
    except NotYet:
        raise Unavailable(
            "the speed layer has not committed what it holds, so nothing was deleted from Kafka",
            "see `concord status`, then erase again",
        ) from None

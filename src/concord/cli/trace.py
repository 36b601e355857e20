"""``concord trace``: the way of one row through every store."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

import typer
from rich.markup import escape

from concord import bootstrap
from concord.cli.audited import audited
from concord.cli.output import AsJson, console, print_json, table
from concord.contracts.audit import Action
from concord.contracts.tables import TABLES
from concord.settings import Settings, load_settings
from concord.trace.follow import follow_event, follow_row
from concord.trace.hops import Hop, Journey
from concord.trace.stores import Stores

LARGEST_KEY = 2**63 - 1


class Traced(StrEnum):
    """What can be followed."""

    USERS = "users"
    PRODUCTS = "products"
    ORDERS = "orders"
    ORDER_ITEMS = "order_items"
    EVENTS = "events"


What = Annotated[Traced, typer.Argument(metavar="TABLE", help="users, products, orders, order_items or events.")]
Key = Annotated[str, typer.Argument(metavar="KEY", help="The row's id, or the event's event_id.")]
Versions = Annotated[int, typer.Option("--versions", min=1, help="How many versions of a row, the newest ones.")]


def trace(what: What, key: Key, versions: Versions = 1, as_json: AsJson = False) -> None:
    """Where a row is and since when, hop by hop, and where it is not (yet)."""
    settings = load_settings()
    with audited(settings, Action.READ, f"trace {what}", store="every one") as noted:
        journeys = _of_event(settings, key) if what is Traced.EVENTS else _of_row(settings, str(what), key, versions)
        noted.note(rows_out=len(journeys))
    if not journeys:
        raise _wrong(f"no store knows {what} {key}")
    if as_json:
        print_json({"table": str(what), "key": key, "versions": [journey.document() for journey in journeys]})
        return
    for journey in journeys:
        _show(f"{what} {key}", journey)


def _of_row(settings: Settings, name: str, key: str, versions: int) -> list[Journey]:
    if not (key.isascii() and key.isdigit() and int(key) <= LARGEST_KEY):
        raise _wrong(f"{key!r} is no id of {name}: it is a whole number")
    return follow_row(stores(settings), TABLES[name], int(key), versions)


def _of_event(settings: Settings, key: str) -> list[Journey]:
    try:
        event_id = str(UUID(key))
    except ValueError:
        raise _wrong(f"{key!r} is no event_id: it is a UUID") from None
    return follow_event(stores(settings), event_id)


def _wrong(problem: str) -> typer.BadParameter:
    return typer.BadParameter(problem, param_hint="KEY")


def stores(settings: Settings) -> Stores:
    """Every store, as whoever only reads."""
    return Stores(
        bootstrap.postgres(settings),
        bootstrap.kafka(settings),
        bootstrap.clickhouse(settings, "reader"),
        bootstrap.lake(settings),
        bootstrap.snowflake(settings),
    )


def _show(title: str, journey: Journey) -> None:
    place = "not captured" if journey.version is None else journey.version.place
    rows = [(hop.name, _time(hop), _took(journey, hop), escape(_where(hop))) for hop in journey.hops]
    console.print(table(f"{title}: {place}", ["hop", "at (UTC)", "took", "where"], rows))
    missing = dict.fromkeys(hop.name for hop in journey.hops if not hop.is_there)
    if missing:
        console.print(f"[yellow]not there:[/yellow] {', '.join(missing)}", highlight=False)


def _time(hop: Hop) -> str | None:
    return None if hop.at is None else f"{hop.at:%Y-%m-%d %H:%M:%S.%f}"[:-3]


def _took(journey: Journey, hop: Hop) -> str | None:
    seconds = journey.seconds(hop)
    return None if seconds is None else f"{seconds:.3f} s after {hop.after}"


def _where(hop: Hop) -> str:
    known = [f"{name} {value}" for name, value in hop.where.items() if value is not None]
    return ", ".join([*known, *filter(None, [hop.note if hop.is_there else f"not there: {hop.note}"])])

"""``concord audit``: who or what read or changed the data, when, on which batch."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer
from rich.markup import escape

from concord import bootstrap
from concord.cli.audited import spool
from concord.cli.moments import MOMENTS, in_utc
from concord.cli.output import AsJson, console, errors, print_json, table
from concord.cli.plain_text import plain
from concord.errors import Unavailable
from concord.governance.entry import Entry
from concord.governance.trail import deliver, entries
from concord.settings import Settings, load_settings

COLUMNS = ("begun (UTC)", "what", "who", "as", "batch", "in", "out", "rejected", "s", "ending")


def audit(
    since: Annotated[datetime | None, typer.Option(formats=MOMENTS, help="Begun then or later, UTC.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="At most so many, the newest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Jobs with their rows and seconds, and reads with the hash of their statement, newest first."""
    found = _entries(load_settings(), in_utc(since), limit)
    if as_json:
        print_json([asdict(entry) for entry in found])
    else:
        console.print(table("Audit trail (--json has every column)", COLUMNS, [_row(entry) for entry in found]))


def _entries(settings: Settings, since: datetime | None, limit: int) -> list[Entry]:
    """The trail; of this machine alone what it has not handed in, if the warehouse does not answer."""
    waiting = spool(settings)
    try:
        with bootstrap.snowflake(settings) as warehouse:
            deliver(waiting, warehouse)
            return entries(warehouse, since, limit)
    except Unavailable as error:
        here = [entry for entry in waiting.undelivered() if since is None or entry.begun_at >= since]
        errors.print(
            f"[yellow]{escape(error.message)}[/yellow]; these {len(here)} entries wait on this machine, the trail holds the others",
            highlight=False,
        )
        return sorted(here, key=lambda entry: entry.begun_at, reverse=True)[:limit]


def _row(entry: Entry) -> tuple[object, ...]:
    ending = entry.ending if entry.error is None else f"{entry.ending}: {entry.error}"
    return (
        f"{entry.begun_at:%Y-%m-%d %H:%M:%S}",
        plain(entry.what),
        entry.who,
        entry.identity,
        entry.batch_id,
        *(_count(rows) for rows in (entry.rows_in, entry.rows_out, entry.rows_rejected)),
        f"{entry.seconds:,.1f}",
        str(ending),
    )


def _count(rows: int | None) -> str:
    return "–" if rows is None else f"{rows:,}"

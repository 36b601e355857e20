"""``concord cost whatif``: a month of batches, with another time to stop."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

import typer

from concord import bootstrap
from concord.cli.audited import spool
from concord.cli.cost.basis import basis, bill_of, document, notes, price_list, print_notes, suspend_of
from concord.cli.output import AsJson, console, print_json, table
from concord.errors import ConcordError, ExitCode, Misconfigured
from concord.gateways.snowflake import Snowflake
from concord.governance.statements import statements
from concord.governance.trail import deliver, newest_batch
from concord.rules.warehouse_cost import DAY, DAYS_OF_MONTH, Bill, Statement, by_warehouse, repeated
from concord.settings import Settings, load_settings

DURATION = re.compile(r"(\d{1,6})([smhd])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
SHOWN = 20
"""Characters of what was given: the message keeps to one line."""
HOURLY: Any = "1h"
SUMMED = ("statements", "starts", "busy_seconds", "paid_seconds", "credits", "money")

Month = dict[str, Any]


class WrongTime(ConcordError):
    """A time of the command line that cannot be used."""

    exit_code = ExitCode.USAGE


def duration(given: Any) -> timedelta:
    """``90s``, ``15m``, ``2h``, ``1d``: up to a day. Raises :class:`WrongTime` for anything else."""
    match = DURATION.fullmatch(str(given).strip())
    span = timedelta(**{UNITS[match[2]]: int(match[1])}) if match else timedelta()
    if not timedelta() < span <= DAY:
        raise WrongTime(f"--every takes a time like 90s, 15m, 2h, up to 1d; not {str(given)[:SHOWN]!r}")
    return span


Every = Annotated[timedelta, typer.Option(parser=duration, metavar="TIME", help="How often a batch runs: 15m, 2h.")]
Suspend = Annotated[
    int, typer.Option(min=60, max=86_400, help="Idle seconds after which a warehouse stops; an account takes no less.")
]


def whatif(suspend: Suspend = 60, every: Every = HOURLY, as_json: AsJson = False) -> None:
    """A month in which the newest batch runs again and again: with the profile's time to stop, and with another one."""
    settings, listed = load_settings(), price_list()
    with bootstrap.snowflake(settings) as warehouse:
        begun_at, batch = _newest_batch(settings, warehouse, every)
    found = by_warehouse(repeated(batch, every))
    stops = (suspend_of(settings), timedelta(seconds=suspend))
    months = {name: [_month(bill_of(name, day, stop, listed)) for stop in stops] for name, day in found.items()}
    saved = sum((before["credits"] - after["credits"] for before, after in months.values()), Decimal())
    if as_json:
        asked = {"batch_begun_at": begun_at.isoformat(), "every_seconds": every.total_seconds()}
        told = {"warehouses": months, "credits_saved": saved, "money_saved": listed.money(saved)}
        print_json({**basis(listed, found), **asked, **told})
        return
    title = f"{DAYS_OF_MONTH} days of the batch of {begun_at:%Y-%m-%d %H:%M:%S} UTC, every {every}"
    console.print(_table(title, months, listed.currency))
    money = f"{saved:+,.1f} credits, {listed.money(saved):+,.2f} {listed.currency} a month"
    console.print(f"stopping after {suspend} s instead of {stops[0].seconds} saves {money}", highlight=False)
    print_notes(notes(listed, found))


def _newest_batch(settings: Settings, warehouse: Snowflake, every: timedelta) -> tuple[datetime, list[Statement]]:
    """What the newest batch had the warehouses do. Raises :class:`Misconfigured` if there is none, or it took longer."""
    deliver(spool(settings), warehouse)
    batch = newest_batch(warehouse)
    if batch is None:
        raise Misconfigured("the audit trail knows no batch that loaded anything", "concord batch run")
    took = timedelta(seconds=float(batch.seconds))
    if took > every:
        raise Misconfigured(
            f"the newest batch took {took.seconds} s: it cannot run every {every}", "give a longer --every"
        )
    found = statements(warehouse, batch.begun_at, batch.begun_at + took)
    if not found:
        unknown = f"the query history knows no statement of the batch of {batch.begun_at:%Y-%m-%d %H:%M:%S} UTC"
        raise Misconfigured(unknown, "an account's history is up to 45 minutes behind: try again later")
    return batch.begun_at, found


def _month(day: Bill) -> Month:
    return {name: value * DAYS_OF_MONTH if name in SUMMED else value for name, value in document(day).items()}


def _table(title: str, months: Mapping[str, Sequence[Month]], currency: str) -> Any:
    rows = [_row(name, month) for name, both in months.items() for month in both]
    return table(title, ("warehouse", "size", "stops after", "starts", "idle", "credits", currency), rows)


def _row(name: str, month: Month) -> tuple[object, ...]:
    figures = (f"{month['idle_share']:.0%}", f"{month['credits']:,.1f}", f"{month['money']:,.2f}")
    return (name, str(month["size"]), f"{month['suspend_seconds']} s", month["starts"], *figures)

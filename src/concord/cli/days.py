"""Days on the command line: an interval in UTC with both its ends, open where one is not given."""

from datetime import date, datetime
from typing import Annotated

import typer

from concord.batch.days import Days

DAY = ["%Y-%m-%d"]

From = Annotated[datetime | None, typer.Option("--from", formats=DAY, help="First day (UTC); open if not given.")]
To = Annotated[datetime | None, typer.Option("--to", formats=DAY, help="Last day (UTC); open if not given.")]


def days_of(first: datetime | None, last: datetime | None) -> Days:
    """The days asked for; all if neither end was given."""
    if first and last and first > last:
        raise typer.BadParameter(f"--from {first:%Y-%m-%d} is after --to {last:%Y-%m-%d}", param_hint="--from")
    return Days(_day(first), _day(last))


def _day(instant: datetime | None) -> date | None:
    return instant.date() if instant else None

"""``concord cost report``: what was paid for, for what, and what would make it cheaper."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

import typer
from rich.markup import escape

from concord import bootstrap
from concord.cli.cost import resources
from concord.cli.cost.basis import Found, basis, bill_of, document, notes, price_list, print_notes, suspend_of
from concord.cli.moments import MOMENTS, in_utc
from concord.cli.output import AsJson, console, errors, print_json, table
from concord.dialects.iceberg import LAKE_DATASETS
from concord.errors import Misconfigured, Unavailable
from concord.governance.statements import size_of, statements
from concord.rules import cost_advice
from concord.rules.cost_advice import Advice
from concord.rules.resource_use import Footprint, Use
from concord.rules.warehouse_cost import DAYS_OF_MONTH, Bill, Prices, by_warehouse, priced, seconds
from concord.settings import Settings, load_settings
from concord.telemetry.clock import now

SOONEST = timedelta(seconds=60)
CLUSTERING_UNKNOWN = "Whether clustering keys help is not known: the query history says nothing of micro-partitions."

Since = Annotated[
    datetime | None, typer.Option(formats=MOMENTS, help="Statements from then on, UTC; the last 30 days.")
]


def report(since: Since = None, as_json: AsJson = False) -> None:
    """Each warehouse's statements, priced by the time that it ran for them; what would make it cheaper, and why."""
    settings, listed, until = load_settings(), price_list(), now()
    begin = in_utc(since) or until - timedelta(days=DAYS_OF_MONTH)
    with bootstrap.snowflake(settings) as warehouse:
        found = by_warehouse(statements(warehouse, begin, until))
    bills = [bill_of(name, each, suspend_of(settings), listed) for name, each in found.items()]
    kinds = _kinds(found, suspend_of(settings), listed)
    beside = _beside(settings, begin)
    advice = [*_advice(found, bills, listed), *beside.advice]
    if as_json:
        used = resources.document(beside.uses, beside.tables)
        figures = {"warehouses": [document(each) for each in bills], "statements": kinds, **used}
        told = {"advice": [vars(each) for each in advice], "unknown": _unknown(found)}
        print_json({**basis(listed, found), "since": begin.isoformat(), **figures, **told})
        return
    console.print(_bills(f"Warehouses since {begin:%Y-%m-%d %H:%M} UTC", bills, listed))
    console.print(_kinds_table(kinds))
    if beside.uses:
        console.print(resources.spark_table(beside.uses))
    if beside.tables:
        console.print(resources.lake_table(beside.tables))
    for each in advice:
        console.print(_told(each), highlight=False)
    print_notes([*_unknown(found), *notes(listed, found)])


def _advice(found: Found, bills: Sequence[Bill], listed: Prices) -> Iterator[Advice]:
    for each in bills:
        mine = found[each.warehouse]
        yield from cost_advice.on_idle_time(each, bill_of(each.warehouse, mine, SOONEST, listed))
        yield from cost_advice.on_size(each, mine)
        yield from cost_advice.on_scans(each.warehouse, mine)


@dataclass(frozen=True)
class Beside:
    """What there is to say of Spark and the lake."""

    uses: Sequence[Use] = ()
    tables: Sequence[Footprint] = ()
    advice: Sequence[Advice] = ()


def _beside(settings: Settings, since: datetime) -> Beside:
    """The report is about the warehouse: a lake that does not answer is told and no failure."""
    lake, asked = bootstrap.lake(settings), resources.asked_of(settings)
    try:
        figures = {one.name: lake.figures(one.name) for one in LAKE_DATASETS if lake.current_snapshot(one.name)}
        found, tables = resources.uses(lake, since, asked), resources.footprints(lake, list(figures))
    except (Unavailable, Misconfigured) as error:
        errors.print(f"[yellow]nothing about the lake's files: {escape(error.message)}[/yellow]", highlight=False)
        return Beside()
    small = [each for name, one in figures.items() for each in cost_advice.on_files(name, one.files, one.mean_bytes)]
    return Beside(found, tables, [*small, *resources.advice(found, asked, tables)])


def _unknown(found: Found) -> list[str]:
    """What cannot be judged, said rather than left out."""
    return [] if any(map(cost_advice.knows_partitions, found.values())) else [CLUSTERING_UNKNOWN]


def _kinds(found: Found, suspend: timedelta, listed: Prices) -> list[dict[str, Any]]:
    """Every statement's share of its warehouse's time, summed by what it was, the dearest first."""
    sums: dict[tuple[str, str, str], tuple[int, Decimal]] = {}
    for name, mine in found.items():
        for each, credits in priced(mine, size_of(name, mine), suspend, listed):
            count, total = sums.get((name, each.role, each.kind), (0, Decimal()))
            sums[name, each.role, each.kind] = (count + 1, total + credits)
    names = ("warehouse", "role", "kind", "statements", "credits")
    rows = (dict(zip(names, (*key, *value), strict=True)) for key, value in sums.items())
    return sorted(rows, key=lambda row: row["credits"], reverse=True)


def _kinds_table(kinds: Sequence[dict[str, Any]]) -> Any:
    rows = [(*list(row.values())[:-1], f"{row['credits']:,.4f}") for row in kinds]
    return table("Statements by what they were", ("warehouse", "role", "kind", "statements", "credits"), rows)


def _bills(title: str, bills: Sequence[Bill], listed: Prices) -> Any:
    columns = ("warehouse", "size", "statements", "starts", "busy s", "paid s", "idle", "credits", listed.currency)
    rows = [
        (
            *(each.warehouse, str(each.size), each.statements, each.starts),
            *(f"{seconds(each.busy):,.1f}", f"{seconds(each.billed):,.0f}", f"{each.idle_share:.0%}"),
            *(f"{each.credits:,.4f}", f"{each.money:,.4f}"),
        )
        for each in bills
    ]
    return table(title, columns, rows)


def _told(advice: Advice) -> str:
    saving = f" [dim](up to {advice.saves:,.4f} credits)[/dim]" if advice.saves else ""
    return f"[yellow]{advice.about}[/yellow]: {advice.do}: {advice.evidence}{saving}"

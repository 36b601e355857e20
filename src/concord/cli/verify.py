"""``concord verify``: a file and every store that it went through, side by side."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from concord import bootstrap
from concord.cli.output import AsJson, console, print_json, table
from concord.errors import Disagreement
from concord.ingest.online_retail.facts import RetailFacts, retail_facts
from concord.reconcile.retail import (
    CLICKHOUSE,
    COUNTS,
    LAKE,
    POSTGRES,
    SNOWFLAKE,
    SUMS,
    Totals,
    by_day,
    differing_days,
    totals,
)
from concord.serving import lake_sql
from concord.settings import Settings, load_settings

app = typer.Typer(help="Hold every store against the file that was loaded.", no_args_is_help=True)

FILE = "file"
NAMES = (*COUNTS, *SUMS, "net")


@app.callback()
def verify() -> None:
    """Hold every store against the file that was loaded."""


@app.command("online-retail")
def online_retail(
    file: Annotated[Path, typer.Argument(help="The Online Retail file that was loaded.")], as_json: AsJson = False
) -> None:
    """Print file, PostgreSQL, ClickHouse, lake and MARTS side by side. Exit 6 on a difference."""
    stated = stated_by(retail_facts(file))
    with console.status("asking every store …"):
        sides = {FILE: stated, **stores(load_settings(), min(stated.revenue_by_day), max(stated.revenue_by_day))}
    differences = differing(sides)
    if as_json:
        print_json({"totals": {name: dict(side.values) for name, side in sides.items()}, "differences": differences})
    else:
        console.print(side_by_side(sides))
    if differences:
        raise Disagreement("; ".join(differences), "was the whole file loaded and a batch run? concord batch run")


def stated_by(facts: RetailFacts) -> Totals:
    """The file's own totals in the form that the stores answer in."""
    values = (
        facts.lines,
        facts.invoices,
        facts.cancelled_invoices,
        facts.customers,
        facts.stock_codes,
        facts.lines_without_customer,
        facts.prices_zero_or_less,
        facts.revenue,
        facts.cancelled,
        facts.net,
    )
    return Totals(dict(zip(NAMES, values, strict=True)), facts.revenue_by_day)


def stores(settings: Settings, first: date, last: date) -> dict[str, Totals]:
    """The totals of every store; MARTS tells the revenue per day, STAGING what lies below it."""
    warehouse = bootstrap.snowflake(settings)
    mart = warehouse.query(
        "select date, total_revenue from MARTS.daily_business_metrics where date between %s and %s", (first, last)
    )
    return {
        "PostgreSQL": totals(bootstrap.postgres(settings).query, POSTGRES, first, last),
        "ClickHouse": totals(bootstrap.clickhouse(settings, "reader").query, CLICKHOUSE, first, last),
        "lake": totals(lambda sql: lake_sql.answer(bootstrap.lake(settings), sql)[1], LAKE, first, last),
        "MARTS": replace(totals(warehouse.query, SNOWFLAKE, first, last), revenue_by_day=by_day(mart)),
    }


def differing(sides: dict[str, Totals]) -> list[str]:
    """Every total and every number of days in which a store differs from the file."""
    stated = sides[FILE]
    found = []
    for store, side in sides.items():
        found += [
            f"{store}: {name} {side.values[name]:,} ≠ {stated.values[name]:,}"
            for name in NAMES
            if side.values[name] != stated.values[name]
        ]
        if days := differing_days(stated.revenue_by_day, side.revenue_by_day):
            found.append(f"{store}: revenue differs on {len(days)} days, first {days[0]}")
    return found


def side_by_side(sides: dict[str, Totals]) -> Table:
    """One row per total, one column per store."""
    stated = sides[FILE]
    rows: list[tuple[Any, ...]] = [(name, *(f"{side.values[name]:,}" for side in sides.values())) for name in NAMES]
    equal = [
        len(stated.revenue_by_day) - len(differing_days(stated.revenue_by_day, s.revenue_by_day))
        for s in sides.values()
    ]
    rows.append(("days with equal revenue", *(f"{days} of {len(stated.revenue_by_day)}" for days in equal)))
    return table("Online Retail", ["", *sides], rows)

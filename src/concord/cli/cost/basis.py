"""What every figure of ``concord cost`` rests on: prices, sizes, times, and whose seconds they are."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from concord.cli.output import console
from concord.governance.prices import prices
from concord.governance.statements import size_of
from concord.rules.warehouse_cost import Bill, Prices, Statement, bill, seconds
from concord.settings import PROJECT, Settings

FILE = PROJECT / "engines" / "snowflake" / "prices.toml"
LOCAL = (
    "This server knows no sizes of warehouses: it is the stand-in. Its seconds are this machine's, at sizes as declared; "
    "what an account would take is not known from them."
)

Found = Mapping[str, list[Statement]]
"""Statements by warehouse."""


def price_list() -> Prices:
    return prices(FILE)


def suspend_of(settings: Settings) -> timedelta:
    """As the profile has it."""
    return timedelta(seconds=settings.snowflake.auto_suspend_seconds)


def bill_of(name: str, found: Sequence[Statement], suspend: timedelta, listed: Prices) -> Bill:
    return bill(name, found, size_of(name, found), suspend, listed)


def basis(listed: Prices, found: Found) -> dict[str, Any]:
    """For machines."""
    listing = {"as_of": listed.as_of, "source": listed.source, "per_credit": listed.per_credit}
    return {
        "prices": {**listing, "currency": listed.currency},
        "seconds_are_the_stand_ins": is_local(found),
        "notes": notes(listed, found),
    }


def notes(listed: Prices, found: Found) -> list[str]:
    """For people."""
    priced = (
        f"Prices: {listed.per_credit} {listed.currency} per credit, {listed.source}, of {listed.as_of} ({FILE.name})."
    )
    return [priced, LOCAL] if is_local(found) else [priced]


def is_local(found: Found) -> bool:
    """An account says of what size the warehouse was; the stand-in has none."""
    return bool(found) and not any(statement.size for each in found.values() for statement in each)


def print_notes(lines: Iterable[str]) -> None:
    for line in lines:
        console.print(f"[dim]{line}[/dim]", highlight=False)


def document(each: Bill) -> dict[str, Any]:
    """One bill in JSON's types; decimals as text."""
    return {
        "warehouse": each.warehouse,
        "size": each.size,
        "suspend_seconds": each.suspend.seconds,
        "statements": each.statements,
        "starts": each.starts,
        "busy_seconds": seconds(each.busy),
        "paid_seconds": seconds(each.billed),
        "idle_share": each.idle_share,
        "credits": each.credits,
        "money": each.money,
    }

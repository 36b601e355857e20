"""``concord generate``: a synthetic shop at work, for a while."""

from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from concord import bootstrap
from concord.cli.output import AsJson, console, print_json, table
from concord.cli.progress import progress_bar
from concord.ingest.generate import Plan, Report, Shares, generate_shop
from concord.ingest.ledger import Ledger
from concord.settings import Settings, load_settings
from concord.telemetry.clock import now

DEFAULT_SECONDS = 60.0

Share = typer.Option(min=0.0, max=1.0)


def generate(
    events_per_second: Annotated[float, typer.Option(min=0.0, help="Clicks and what is wrong with them.")] = 100.0,
    changes_per_second: Annotated[float, typer.Option(min=0.0, help="Transactions in PostgreSQL.")] = 10.0,
    seconds: Annotated[
        float | None, typer.Option(min=0.1, help=f"How long; {DEFAULT_SECONDS:.0f} if not given.")
    ] = None,
    events: Annotated[int | None, typer.Option(min=1, help="How many events, instead of how long.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed makes the same shop do the same.")] = 1,
    name: Annotated[str | None, typer.Option(help="Of the run and its ledger; the time of day if not given.")] = None,
    users: Annotated[int, typer.Option(min=3, help="Customers at the opening.")] = 100,
    products: Annotated[int, typer.Option(min=1, help="Articles at the opening.")] = 200,
    invalid: Annotated[float, Share] = Shares.invalid,
    duplicate: Annotated[float, Share] = Shares.duplicate,
    late: Annotated[float, Share] = Shares.late,
    out_of_order: Annotated[float, Share] = Shares.out_of_order,
    future: Annotated[float, Share] = Shares.future,
    paced: Annotated[bool, typer.Option("--paced/--fast", help="In real time, or as fast as it goes.")] = True,
    as_json: AsJson = False,
) -> None:
    """Run a seeded synthetic shop: orders, changes and deletes in PostgreSQL, the clickstream in Kafka.

    Every record sent is in the ledger with its class and its place in Kafka.
    """
    length = _length(seconds, events, events_per_second)
    shares = _shares(Shares(invalid, duplicate, late, out_of_order, future))
    present = now()
    settings = load_settings()
    plan = Plan(
        name=name or f"run-{present:%Y%m%d-%H%M%S}",
        seed=seed,
        start=present if paced else present - timedelta(seconds=length),
        seconds=length,
        events_per_second=events_per_second,
        changes_per_second=changes_per_second,
        users=users,
        products=products,
        shares=shares,
    )
    path, report, totals = run_plan(settings, plan, is_paced=paced, hidden=as_json)
    if as_json:
        print_json({"run": plan.name, "ledger": path, "changes": report.changes, "events": totals})
    else:
        _show(plan, str(path), report, totals)


def run_plan(
    settings: Settings, plan: Plan, is_paced: bool, hidden: bool = False
) -> tuple[Path, Report, dict[str, dict[str, int]]]:
    """Carry a plan out; its ledger's path, what was done, and the ledger's totals by class."""
    path = settings.home / "ledger" / f"{plan.name}.sqlite"
    if path.exists():
        raise typer.BadParameter(
            f"{path} is there already: a run's events have identities of their own", param_hint="--name"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with Ledger(path) as ledger, progress_bar("generating", hidden=hidden, unit="s/10") as progress:
        report = generate_shop(
            bootstrap.postgres(settings), bootstrap.kafka(settings), plan, ledger, progress, is_paced=is_paced
        )
        return path, report, {kind: asdict(total) for kind, total in ledger.totals().items()}


def _length(seconds: float | None, events: int | None, events_per_second: float) -> float:
    if events is None:
        return DEFAULT_SECONDS if seconds is None else seconds
    if seconds is not None:
        raise typer.BadParameter("give either --seconds or --events", param_hint="--events")
    if not events_per_second:
        raise typer.BadParameter("needs --events-per-second above 0", param_hint="--events")
    return events / events_per_second


def _shares(shares: Shares) -> Shares:
    if sum(asdict(shares).values()) > 1:
        raise typer.BadParameter("the shares of invalid, duplicate, late, out-of-order and future events exceed 1")
    return shares


def _show(plan: Plan, ledger: str, report: Report, totals: dict[str, dict[str, int]]) -> None:
    console.print(table("changes in PostgreSQL", ("kind", "transactions"), sorted(report.changes.items())))
    rows = [(kind, total["sent"], total["acknowledged"]) for kind, total in totals.items()]
    console.print(table("records in Kafka", ("class", "sent", "acknowledged"), rows))
    console.print(f"run {plan.name}, seed {plan.seed}; ledger {ledger}")

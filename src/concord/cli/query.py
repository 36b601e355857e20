"""``concord query``: one answer from both layers."""

from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from concord import bootstrap
from concord.cli.audited import audited, identity_of
from concord.cli.output import AsJson, console, print_json, table
from concord.contracts.audit import Action
from concord.errors import ContractViolation
from concord.governance.entry import digest
from concord.serving.daily import COLUMNS, Answer, daily_business_metrics
from concord.settings import load_settings

DAY = "%Y-%m-%d"

SHOWN = (
    "date",
    "total_orders",
    "completed_orders",
    "cancelled_orders",
    "total_revenue",
    "avg_order_value",
    "total_active_customers",
    "total_items_sold",
)
"""The columns that a terminal has room for."""


class Metric(StrEnum):
    DAILY_BUSINESS_METRICS = "daily_business_metrics"


def query(
    metric: Annotated[Metric, typer.Argument(help="What to ask for.")],
    first: Annotated[datetime, typer.Option("--from", formats=[DAY], help="First day, UTC.")] = datetime(
        2000, 1, 1, tzinfo=UTC
    ),
    last: Annotated[datetime, typer.Option("--to", formats=[DAY], help="Last day, UTC.")] = datetime(
        2999, 12, 31, tzinfo=UTC
    ),
    explain: Annotated[bool, typer.Option("--explain", help="Also say what the answer was made of.")] = False,
    as_json: AsJson = False,
) -> None:
    """Ask both layers: the mart's days, and from the speed layer the days that have changed since."""
    if first.date() > last.date():
        raise ContractViolation(f"--from {first:{DAY}} lies after --to {last:{DAY}}", "give the earlier day first")
    settings = load_settings()
    speed, warehouse = bootstrap.clickhouse(settings, "reader"), bootstrap.reporter(settings)
    asked = f"{metric} from {first:{DAY}} to {last:{DAY}}"
    facts = {"store": "speed, warehouse", "identity": f"{speed.user}; {identity_of(warehouse)}"}
    with audited(settings, Action.READ, f"query {metric}", statement_sha256=digest(asked), **facts) as noted:
        answer = daily_business_metrics(speed, warehouse, first.date(), last.date())
        noted.note(rows_out=len(answer.rows), batch_id=answer.batch_id, read_at=answer.position.as_json())
    if as_json:
        print_json(document(answer, explain))
    else:
        _show(metric, answer, explain)


def document(answer: Answer, explain: bool) -> dict[str, Any]:
    """The answer in JSON's types; decimals as text."""
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in answer.rows]
    return {"rows": rows, "explain": explanation(answer)} if explain else {"rows": rows}


def explanation(answer: Answer) -> dict[str, Any]:
    """What the answer was made of."""
    return {
        "batch_id": answer.batch_id,
        "days_from_batch": len(answer.from_batch),
        "days_from_speed": len(answer.from_speed),
        "recomputed_days": [str(day) for day in answer.from_speed],
        "position": answer.position.as_json(),
        "note": answer.note,
    }


def _show(metric: Metric, answer: Answer, explain: bool) -> None:
    fresh = set(answer.from_speed)
    shown = [COLUMNS.index(name) for name in SHOWN]
    rows = [(*(row[index] for index in shown), _layer(row[0], fresh)) for row in answer.rows]
    console.print(table(f"{metric} (--json has every column)", [*SHOWN, "layer"], rows))
    if explain:
        for name, value in explanation(answer).items():
            console.print(f"{name}: {value}", highlight=False)


def _layer(day: date, fresh: set[date]) -> str:
    return "speed" if day in fresh else "batch"

"""``concord quality``: what is wrong with the data, rule by rule, and since when."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from concord import bootstrap
from concord.cli.audited import audited, identity_of
from concord.cli.dbt_checks import failures_command, freshness_command
from concord.cli.output import AsJson, console, print_json, table
from concord.cli.published import batch
from concord.contracts.audit import Action
from concord.contracts.expectations import QUALITY_SCHEMA, Layer, Rule
from concord.contracts.position import Publication
from concord.errors import ContractViolation
from concord.gateways.snowflake import Snowflake
from concord.quality import page
from concord.quality.check import Result
from concord.quality.keep import check as check_layer
from concord.quality.report import Document, document, violating
from concord.quality.stores import LakeStore, WarehouseStore
from concord.rules.data_quality import CHECKS
from concord.settings import Settings, load_settings
from concord.telemetry.clock import now

APP_NAME = "EcommerceDataQuality"

app = typer.Typer(help="Hold the data to its rules, and report what breaks them.", no_args_is_help=True)
app.command("freshness")(freshness_command)
app.command("failures")(failures_command)

BatchId = Annotated[str | None, typer.Option("--batch-id", help="A published batch; the newest if not given.")]
Html = Annotated[Path | None, typer.Option("--html", help="Also write the report as one HTML file with plots.")]
All = Annotated[bool, typer.Option("--all", help="Show the rules that hold, too.")]
Limit = Annotated[int, typer.Option(min=1, help="How many rows at most.")]
RuleName = Annotated[str, typer.Argument(metavar="RULE", help="Name of a rule; `concord quality rules` lists them.")]


@app.command("check")
def check_command(batch_id: BatchId = None, as_json: AsJson = False) -> None:
    """Check a published batch at lake, RAW and STAGING and keep what is found. Exit 3 if a critical rule fails."""
    settings = load_settings()
    wanted = batch(settings, batch_id)
    with _warehouse(settings) as warehouse:
        check(settings, warehouse, wanted)
        show(document(warehouse, wanted.batch_id), as_json)


@app.command("report")
def report_command(batch_id: BatchId = None, html: Html = None, show_all: All = False, as_json: AsJson = False) -> None:
    """What is wrong with the data, at every layer and over the batches. Checks the batch if that was not done yet.
    Exit 3 if a critical rule fails."""
    settings = load_settings()
    wanted = batch(settings, batch_id)
    with _warehouse(settings) as warehouse:
        found = document(warehouse, wanted.batch_id)
        if not found["rules"]:
            check(settings, warehouse, wanted)
            found = document(warehouse, wanted.batch_id)
    if html:
        page.write(found, html)
    show(found, as_json, show_all, html)


@app.command("rows")
def rows_command(rule: RuleName, batch_id: BatchId = None, limit: Limit = 50, as_json: AsJson = False) -> None:
    """The rows that break one rule."""
    if rule not in CHECKS:
        raise typer.BadParameter(f"{rule} is no rule; see `concord quality rules`", param_hint="RULE")
    settings = load_settings()
    wanted = batch(settings, batch_id).batch_id
    with _warehouse(settings) as warehouse:
        facts = {"store": "warehouse", "identity": identity_of(warehouse), "batch_id": wanted}
        with audited(settings, Action.READ, f"quality rows {rule}", **facts) as noted:
            rows = violating(warehouse, wanted, rule, limit)
            noted.note(rows_out=len(rows))
    if as_json:
        print_json(rows)
        return
    cells = [(row["layer"], row["row_key"], row["value"], row["expected"]) for row in rows]
    console.print(table(f"{rule}: {CHECKS[rule].description}", ["layer", "row", "value", "expected"], cells))


@app.command("rules")
def rules_command(as_json: AsJson = False) -> None:
    """Every declared rule."""
    rows = [(name, _dimension(name), _severity(name), CHECKS[name].description) for name in CHECKS]
    columns = ["rule", "dimension", "severity", "description"]
    if as_json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
        return
    console.print(table("Rules", columns, rows))


def _dimension(name: str) -> str:
    return str(getattr(CHECKS[name], "dimension", "freshness"))


def _severity(name: str) -> str:
    rule = CHECKS[name]
    return str(rule.severity) if isinstance(rule, Rule) else "flag"


@contextmanager
def _warehouse(settings: Settings) -> Iterator[Snowflake]:
    """The checks' own schema is where their temporary tables go."""
    with bootstrap.snowflake(settings, QUALITY_SCHEMA) as warehouse:
        yield warehouse


def check(settings: Settings, warehouse: Snowflake, wanted: Publication) -> None:
    """Every layer at the batch's position; STAGING only shows the newest batch."""
    facts = {"store": "lake, warehouse", "identity": identity_of(warehouse), "batch_id": wanted.batch_id}
    with audited(settings, Action.RUN, "quality check", **facts) as noted:
        found = [result.violations for result in _checked(settings, warehouse, wanted)]
        noted.note(rows_rejected=sum(found))


def _checked(settings: Settings, warehouse: Snowflake, wanted: Publication) -> Iterator[Result]:
    stores = [WarehouseStore(warehouse, Layer.RAW)]
    if warehouse.publication() == wanted:
        stores.append(WarehouseStore(warehouse, Layer.STAGING))
    moment = now()
    with (
        console.status("checking the lake …"),
        bootstrap.spark_for(settings, APP_NAME, settings.spark.batch_memory) as spark,
    ):
        yield from check_layer(LakeStore(spark, warehouse.spark_options()), warehouse, wanted, moment)
    for store in stores:
        with console.status(f"checking {store.layer} …"):
            yield from check_layer(store, warehouse, wanted, moment)


def show(found: Document, as_json: bool, show_all: bool = False, html: Path | None = None) -> None:
    """The report for people or machines. Raises :class:`ContractViolation` if a critical rule fails."""
    if as_json:
        print_json(found)
    else:
        _tables(found, show_all)
        if html:
            console.print(f"[dim]written to {html}[/dim]", highlight=False)
    if found["failed"]:
        raise ContractViolation(
            f"{len(found['failed'])} critical rules fail: {', '.join(found['failed'])}",
            f"concord quality rows {found['failed'][0]}",
        )


def _tables(found: Document, show_all: bool) -> None:
    broken = [rule for rule in found["rules"] if rule["violations"]]
    shown = found["rules"] if show_all else broken
    columns = ["rule", "dimension", "severity", *found["layers"], "looked at", "since the batch before"]
    rows = [_cells(rule, found["layers"]) for rule in shown]
    console.print(table(f"Data quality at batch {found['batch_id']}", columns, rows))
    held = len(found["rules"]) - len(broken)
    console.print(
        f"{held} rules hold, {len(broken)} are broken, {len(found['failed'])} of them critical", highlight=False
    )
    for name in found["disagreeing"]:
        console.print(f"[red]lake and RAW disagree[/red] on {name}", highlight=False)


def _cells(rule: dict[str, Any], layers: list[str]) -> tuple[object, ...]:
    counts = [rule["layers"].get(layer, {}).get("violations") for layer in layers]
    last = list(rule["layers"])[-1]
    looked_at = rule["layers"][last]["rows_checked"]
    return (rule["rule"], rule["dimension"], rule["severity"], *counts, looked_at, _change(rule["trend"][last]))


def _change(trend: list[int | None]) -> str:
    """Against the batch before, where that was checked."""
    if len(trend) < 2 or trend[-1] is None or trend[-2] is None:
        return "–"
    difference = trend[-1] - trend[-2]
    return f"{difference:+,}" if difference else "="

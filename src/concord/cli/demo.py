"""``concord demo``: the whole pipeline once, from an empty machine to layers that agree."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from concord import bootstrap
from concord.cli import hops, recon
from concord.cli.batch import run_batch
from concord.cli.engines import bring_up, status_table
from concord.cli.generate import run_plan
from concord.cli.load import load_file
from concord.cli.output import console, table
from concord.errors import Disagreement
from concord.ingest.generate import Plan
from concord.platform.states import engine_states
from concord.reconcile import report as reports
from concord.reconcile.fence import await_fence
from concord.settings import Settings, load_settings
from concord.telemetry.clock import now

DEMO_SECONDS = 60.0
EVENTS_PER_SECOND = 100.0
CHANGES_PER_SECOND = 20.0

Data = Annotated[Path | None, typer.Option(help="An Online Retail file; a small generated shop if not given.")]
Timeout = Annotated[float, typer.Option(help="Seconds that a layer may take to catch up.")]


def demo(data: Data = None, timeout: Timeout = 1800.0) -> None:
    """Start everything, bring data in, run both layers to the end, reconcile, show what happened.

    Leaves the stack running. Exit 6 if rows of a hop do not add up or the layers differ.
    """
    settings = load_settings()
    with step("engines"):
        bring_up(settings)
    with step("data"):
        bring_data(settings, data)
    with step("both layers hold every record"):
        await_layers(settings, timeout)
    with step("batch: lake → RAW → STAGING, MARTS"):
        run_batch(settings)
    with step("reconciliation with the source at a fence"):
        report = recon.at_fence(settings, advance=True, timeout=timeout)
        reports.store(report, recon.folder(settings))
    flows = hops.all_flows(settings)
    console.print(hops.flow_table(flows))
    recon.show(reports.document(report))
    console.print(freshness(settings))
    console.print(status_table(engine_states(settings)))
    console.print(addresses(settings))
    faults = [fault for flow in flows for fault in flow.faults]
    if faults or not report.agrees:
        raise Disagreement(
            "; ".join([*faults, f"{report.differences} differences"]), f"concord recon show {report.run_id}"
        )


@contextmanager
def step(what: str) -> Iterator[None]:
    """One stage of the demo, with its seconds."""
    console.rule(f"[bold]{what}", align="left")
    started = time.monotonic()
    yield
    console.print(f"[dim]{what}: {time.monotonic() - started:.1f} s[/dim]")


def bring_data(settings: Settings, data: Path | None) -> None:
    """The given file with clicks around it, or a minute of a generated shop as fast as it goes."""
    if data is not None:
        load_file(settings, data)
        return
    present = now()
    plan = Plan(
        name=f"demo-{present:%Y%m%d-%H%M%S}",
        seed=1,
        start=present - timedelta(seconds=DEMO_SECONDS),
        seconds=DEMO_SECONDS,
        events_per_second=EVENTS_PER_SECOND,
        changes_per_second=CHANGES_PER_SECOND,
    )
    run_plan(settings, plan, is_paced=False)


def await_layers(settings: Settings, timeout: float) -> None:
    """Wait until the speed layer and the lake hold what Kafka holds now, after all that PostgreSQL has committed."""
    with bootstrap.postgres(settings).fence("demo") as fence:
        mark = await_fence(bootstrap.kafka(settings), fence.id, timeout)
    end = mark.position.merge(bootstrap.kafka(settings).end_position(hops.TOPICS))
    with console.status("waiting for both layers …"):
        recon.await_layer("speed layer", bootstrap.clickhouse(settings, "reader").position, end, timeout)
        recon.await_layer("lake", lambda: hops.lake_position(settings), end, timeout)


def freshness(settings: Settings) -> Table:
    """Seconds from Kafka's receipt of a record to the micro-batch that made it queryable."""
    speed = bootstrap.clickhouse(settings, "reader")
    rows = [(name, *speed.query(FRESHNESS.format(stored=name))[0]) for name in ("events", "orders_changes")]
    return table("Freshness: seconds from Kafka's receipt to queryable", ("what", "median", "95 %", "worst"), rows)


FRESHNESS = """
select round(quantile(0.5)(seconds), 1), round(quantile(0.95)(seconds), 1), round(max(seconds), 1)
from (
    select dateDiff('millisecond', rows._timestamp, held.written_at) / 1000 as seconds
    from {stored} as rows
    asof join speed_position as held
        on rows._topic = held._topic and rows._partition = held._partition and rows._offset <= held._offset
) as waits
"""


def addresses(settings: Settings) -> Table:
    """What can be opened."""
    clickhouse = f"http://{settings.clickhouse.host}:{settings.clickhouse.http_port}"
    rows = [
        ("PostgreSQL", f"{settings.postgres.host}:{settings.postgres.port}/{settings.postgres.database}"),
        ("Kafka", settings.kafka.bootstrap),
        ("Kafka Connect", f"{settings.connect.url}/connectors"),
        (
            "ClickHouse SQL in the browser",
            f"{clickhouse}/play (user reader, password in {settings.secrets}/clickhouse_reader)",
        ),
        ("Iceberg REST catalog", settings.lake.uri),
        ("S3", settings.object_store.endpoint),
        (
            "Snowflake (stand-in)",
            f"{settings.snowflake.protocol}://{settings.snowflake.host}:{settings.snowflake.port}",
        ),
    ]
    return table("Addresses", ("what", "where"), rows)

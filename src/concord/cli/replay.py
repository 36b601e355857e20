"""``concord replay``: the speed layer's tables made anew from the lake."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer

from concord import bootstrap
from concord.cli import stream
from concord.cli.engines import display
from concord.cli.output import console, errors
from concord.cli.progress import progress_bar
from concord.contracts.names import CHANGES_QUERY, EVENTS_QUERY
from concord.gateways.spark import end_session, java_pid
from concord.platform import lifecycle
from concord.platform.supervisord import Supervisord
from concord.settings import Settings, load_settings
from concord.speed.job import SESSION_OPTIONS, SpeedLayer
from concord.speed.lease import Lease
from concord.speed.replay.run import Replay
from concord.telemetry.clock import now

SPEED = "speed"


class Query(StrEnum):
    """The speed layer's queries."""

    CHANGES = CHANGES_QUERY
    EVENTS = EVENTS_QUERY


@dataclass(frozen=True)
class Wish:
    """What is asked for."""

    queries: tuple[Query, ...]
    size: int
    accepts_gaps: bool


def replay(
    query: Annotated[list[Query] | None, typer.Option(help="May be given again; both if not given.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    size: Annotated[int, typer.Option(min=1, help="About how many records a micro-batch holds.")] = 200_000,
    accept_gaps: Annotated[
        bool, typer.Option("--accept-gaps", help="Leave out what neither the lake nor Kafka has.")
    ] = False,
) -> None:
    """Make the speed layer's tables anew: what the lake holds from there, what came since from Kafka.

    The way out where a checkpoint cannot go on: it is lost or damaged, records were deleted before they were
    read, or the code means something else by its rows. Tables are emptied first; cut short, run it again.
    """
    settings = load_settings()
    wish = Wish(tuple(query or Query), size, accept_gaps)
    if not yes:
        named = " and ".join(wish.queries)
        typer.confirm(f"Empty the tables of {named} in ClickHouse and fill them from the lake?", abort=True)
    supervisord = Supervisord(settings.home)
    is_supervised = supervisord.is_running() and SPEED in supervisord.states()
    if is_supervised:
        supervisord.stop(SPEED)
    with stream.alone(settings) as (held, layer_fence):
        layer = _layer(settings, held, layer_fence)
        try:
            for each in wish.queries:
                _replay(settings, layer, each, wish)
        finally:
            end_session(layer.spark)  # the next driver waits until this one's Java machine is gone
    if is_supervised:
        with display() as shown:
            lifecycle.start(settings, [SPEED], shown)


def _layer(settings: Settings, held: Lease, fence: stream.Fence) -> SpeedLayer:
    spark = bootstrap.spark_session(settings, "concord-replay", settings.spark.speed_memory, options=SESSION_OPTIONS)
    held.name_java(java_pid(spark))
    spark.sparkContext.setLogLevel("ERROR")
    return SpeedLayer(
        spark=spark,
        store=bootstrap.clickhouse(settings, user="writer"),
        bootstrap=settings.kafka.bootstrap,
        checkpoints=stream.checkpoints(settings),
        trigger_seconds=settings.spark.trigger_seconds,
        max_offsets_per_trigger=settings.spark.max_offsets_per_trigger,
        clock=now,
        report=lambda _: None,
        fence=fence,
    )


def _replay(settings: Settings, layer: SpeedLayer, query: Query, wish: Wish) -> None:
    admin = bootstrap.clickhouse(settings, user="admin")
    one = Replay(layer, query, bootstrap.lake(settings), admin, wish.size)
    with progress_bar(str(query), hidden=not errors.is_terminal, unit="micro-batches") as moved:
        done = one(moved, wish.accepts_gaps)
    console.print(f"{query}: {done} micro-batches from the lake; Kafka goes on from there", highlight=False)

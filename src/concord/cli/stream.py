"""``concord stream``: the speed layer in the foreground."""

from pathlib import Path
from typing import Annotated

import structlog
import typer

from concord import bootstrap
from concord.gateways.spark import java_pid
from concord.settings import Settings, load_settings
from concord.speed.job import SESSION_OPTIONS, SpeedLayer
from concord.speed.lease import Lease, lease
from concord.speed.run import run, stop_signal
from concord.telemetry import logging
from concord.telemetry.clock import now

FAILPOINT_HELP = "For drills: die at this step of a micro-batch (batch_open, data_stored, position_stored)."
Failpoint = Annotated[str, typer.Option(envvar="CONCORD_FAILPOINT", hidden=True, help=FAILPOINT_HELP)]


def stream(failpoint: Failpoint = "") -> None:
    """Run the speed layer: Kafka to ClickHouse in micro-batches, until SIGTERM. `concord up` starts it for you."""
    logging.configure()
    settings = load_settings()
    with lease(folder(settings)) as held:
        _run(settings, held, failpoint)


def folder(settings: Settings) -> Path:
    """Where checkpoints, lease and readiness are kept."""
    return settings.home / "speed"


def ready_file(settings: Settings) -> Path:
    """There while both queries run; names the process."""
    return folder(settings) / "ready"


def _run(settings: Settings, held: Lease, failpoint: str) -> None:
    ready_file(settings).unlink(missing_ok=True)
    spark = bootstrap.spark_session(settings, "concord-speed", settings.spark.speed_memory, options=SESSION_OPTIONS)
    held.name_java(java_pid(spark))
    stop = stop_signal()
    layer = SpeedLayer(
        spark=spark,
        store=bootstrap.clickhouse(settings, user="writer"),
        bootstrap=settings.kafka.bootstrap,
        folder=folder(settings),
        trigger_seconds=settings.spark.trigger_seconds,
        max_offsets_per_trigger=settings.spark.max_offsets_per_trigger,
        clock=now,
        failpoint=failpoint,
    )
    structlog.get_logger().info("starting", folder=str(layer.folder), failpoint=failpoint)
    try:
        run(layer.start(), stop, ready_file(settings), now)
    finally:
        spark.stop()

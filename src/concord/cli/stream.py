"""``concord stream``: the speed layer in the foreground."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Annotated

import structlog
import typer

from concord import bootstrap
from concord.cli.audited import Noted, audited
from concord.contracts.audit import Action
from concord.gateways.spark import java_pid
from concord.settings import Settings, Telemetry, load_settings
from concord.speed.checkpoints.folder import Folder, LocalFolder
from concord.speed.failpoint import FILE, Failpoint, Step
from concord.speed.instruments import Targets, prepared, probes
from concord.speed.job import JVM_OPTIONS, SESSION_OPTIONS, SpeedLayer
from concord.speed.lease import Lease, lease
from concord.speed.micro_batch import unfenced
from concord.speed.report import Reporter
from concord.speed.run import run, stop_signal
from concord.speed.store_lease import identity_of, store_lease
from concord.telemetry import logging
from concord.telemetry.clock import now
from concord.telemetry.exposition import Metrics
from concord.telemetry.tracing import Traces, to_collector, to_file

SERVICE = "concord-speed"
WRITER = "writer"
Fence = Callable[[], None]
"""Raises where this driver may not write any more."""
FAILPOINT_HELP = f"For drills: die at this step of a micro-batch ({', '.join(Step)})."
DiesAt = Annotated[str, typer.Option(envvar="CONCORD_FAILPOINT", hidden=True, help=FAILPOINT_HELP)]


def stream(failpoint: DiesAt = "") -> None:
    """Run the speed layer: Kafka to ClickHouse in micro-batches, until SIGTERM. `concord up` starts it for you."""
    logging.configure()
    settings = load_settings()
    with alone(settings) as (held, fence), _noted(settings):
        _run(settings, held, fence, failpoint)


@contextmanager
def alone(settings: Settings) -> Iterator[tuple[Lease, Fence]]:
    """Nobody else writes the speed layer's tables or checkpoints, on this machine or on another one."""
    with lease(folder(settings)) as held, _fence(settings) as fence:
        yield held, fence


def _noted(settings: Settings) -> AbstractContextManager[Noted]:
    """Leaves a row in the audit trail when it ends; its rows are counted per micro-batch in ``speed_position``."""
    return audited(settings, Action.RUN, "stream", store="speed", identity=WRITER)


def folder(settings: Settings) -> Path:
    """Where lease and readiness are kept, and checkpoints unless the profile says otherwise."""
    return settings.home / "speed"


def checkpoints(settings: Settings) -> Folder:
    """Where the queries' checkpoints are."""
    return bootstrap.checkpoint_store(settings) or LocalFolder(folder(settings) / "checkpoints")


@contextmanager
def _fence(settings: Settings) -> Iterator[Fence]:
    """What keeps drivers of other machines away; on this one the local lease does."""
    store = bootstrap.checkpoint_store(settings)
    if store is None:
        yield unfenced
        return
    holder = f"process {os.getpid()} on {socket.gethostname()}"
    with store_lease(store, identity_of(folder(settings)), holder) as held:
        yield held.check


def ready_file(settings: Settings) -> Path:
    """There while both queries run; names the process."""
    return folder(settings) / "ready"


def _run(settings: Settings, held: Lease, fence: Fence, failpoint: str) -> None:
    ready_file(settings).unlink(missing_ok=True)
    targets = targets_of(settings.telemetry)
    metrics = prepared(Metrics(), targets, settings.spark.trigger_seconds)
    with _served(metrics, settings.telemetry), _traces(settings) as traces:
        spark = bootstrap.spark_session(
            settings, "concord-speed", settings.spark.speed_memory, options=SESSION_OPTIONS, jvm_options=JVM_OPTIONS
        )
        held.name_java(java_pid(spark))
        stop = stop_signal()
        layer = SpeedLayer(
            spark=spark,
            store=bootstrap.clickhouse(settings, user=WRITER),
            bootstrap=settings.kafka.bootstrap,
            checkpoints=checkpoints(settings),
            trigger_seconds=settings.spark.trigger_seconds,
            max_offsets_per_trigger=settings.spark.max_offsets_per_trigger,
            clock=now,
            failpoint=Failpoint(failpoint, folder(settings) / FILE if settings.spark.failpoints else None),
            report=Reporter(metrics, traces),
            fence=fence,
        )
        structlog.get_logger().info("starting", checkpoints=layer.checkpoints.address, failpoint=failpoint)
        try:
            queries = layer.start()
            run(queries, stop, ready_file(settings), now, probes(metrics, layer, queries, targets))
        finally:
            spark.stop()


def targets_of(telemetry: Telemetry) -> Targets:
    """What the profile asks for."""
    return Targets(
        events_per_second=telemetry.target_events_per_second,
        freshness_seconds=telemetry.freshness_target_seconds,
        slow_query_seconds=telemetry.slow_query_seconds,
    )


@contextmanager
def _served(metrics: Metrics, telemetry: Telemetry) -> Iterator[None]:
    if not telemetry.metrics_port:
        yield
        return
    stop = metrics.serve(telemetry.metrics_host, telemetry.metrics_port)
    try:
        yield
    finally:
        stop()


@contextmanager
def _traces(settings: Settings) -> Iterator[Traces | None]:
    """None unless the profile asks for them: then a micro-batch costs nothing more."""
    telemetry = settings.telemetry
    if not (telemetry.traces or telemetry.otlp_endpoint):
        yield None
        return
    collected = to_collector(SERVICE, telemetry.otlp_endpoint) if telemetry.otlp_endpoint else None
    traces = collected or to_file(SERVICE, folder(settings) / "traces")
    try:
        yield traces
    finally:
        traces.close()

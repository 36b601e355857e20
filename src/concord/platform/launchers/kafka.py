"""Kafka: one node that is broker and controller (KRaft)."""

import base64
import uuid

from concord.platform.accounts import run_first
from concord.platform.engine import Engine, Launch
from concord.platform.launchers.java import jar_version, java_command, logging_file
from concord.platform.readiness import kafka_broker_serves
from concord.settings import PROJECT, Settings

NAME = "kafka"
FORMAT_HEAP = "256m"


def engine(settings: Settings) -> Engine:
    """The broker; topics are made by whoever owns their contract."""
    return Engine(
        name=NAME,
        version=jar_version(settings, "kafka_2.13"),
        ports=(settings.kafka.port, settings.kafka.controller_port),
        launch=lambda: _launch(settings),
        is_ready=lambda: kafka_broker_serves(_host(settings), settings.kafka.port),
    )


def _host(settings: Settings) -> str:
    return settings.kafka.bootstrap.rsplit(":", 1)[0]


def _launch(settings: Settings) -> Launch:
    folder = settings.home / NAME
    properties = folder / "server.properties"
    return Launch(
        command=java_command(settings, folder, "kafka.Kafka", settings.kafka.heap, str(properties)),
        files={properties: _properties(settings)} | logging_file(folder),
        prepare=lambda: _format(settings),
        stop_within_seconds=60,
    )


def _properties(settings: Settings) -> str:
    host, kafka = _host(settings), settings.kafka
    controller = f"{host}:{kafka.controller_port}"
    return (PROJECT / "engines" / "kafka" / "server.properties").read_text() + (
        f"listeners=PLAINTEXT://{kafka.bootstrap},CONTROLLER://{controller}\n"
        f"advertised.listeners=PLAINTEXT://{kafka.bootstrap}\n"
        f"controller.quorum.bootstrap.servers={controller}\n"
        f"log.dirs={settings.home / NAME / 'data'}\n"
    )


def _format(settings: Settings) -> None:
    """Give the log folder its cluster id, once; a second format is refused by Kafka itself."""
    folder = settings.home / NAME
    if (folder / "data" / "meta.properties").exists():
        return
    properties = str(folder / "server.properties")
    cluster = ("--standalone", "--ignore-formatted", "--cluster-id", _new_cluster_id(), "--config", properties)
    tool = java_command(settings, folder, "kafka.tools.StorageTool", FORMAT_HEAP, "format", *cluster)
    run_first(tool, folder, None)


def _new_cluster_id() -> str:
    """Kafka's spelling of a UUID; one that begins with a dash would be read as an option."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A")

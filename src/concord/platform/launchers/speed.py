"""The speed layer: one Spark application that never ends."""

import json
from importlib.metadata import version
from pathlib import Path

import psutil

from concord.platform import installed
from concord.platform.engine import Engine, Launch
from concord.platform.launchers import clickhouse, kafka, object_store
from concord.platform.launchers.own_python import module_command, settings_environment
from concord.settings import Settings

NAME = "speed"


def engine(settings: Settings) -> Engine:
    """Ready when its streaming queries run: it then writes ``speed/ready`` under the home folder."""
    ready = settings.home / NAME / "ready"
    return Engine(
        name=NAME,
        version=version("pyspark"),
        ports=(settings.telemetry.metrics_port,) if settings.telemetry.metrics_port else (),
        needs=(kafka.NAME, clickhouse.NAME, *([object_store.NAME] if settings.spark.checkpoints else [])),
        launch=lambda: _launch(settings),
        is_ready=lambda: _is_ready(ready),
        ready_within_seconds=180,
    )


def _is_ready(file: Path) -> bool:
    """A file left behind by a process that was killed names a pid that is no more."""
    try:
        return psutil.pid_exists(json.loads(file.read_text())["pid"])
    except (FileNotFoundError, ValueError):
        return False


def _launch(settings: Settings) -> Launch:
    return Launch(
        command=module_command("concord", "stream"),
        environment={**settings_environment(settings), "JAVA_HOME": str(installed.java_home())},
        prepare=lambda: (settings.home / NAME / "ready").unlink(missing_ok=True),
        # The micro-batch in flight is finished before the process ends.
        stop_within_seconds=60,
    )

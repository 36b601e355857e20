"""What a figure was measured on, and what else the machine did."""

import os
import platform
from importlib.metadata import version
from typing import Any

import psutil

from concord import __version__
from concord.platform.catalogue import engines
from concord.settings import Settings

PACKAGES = ("pyspark", "confluent-kafka", "clickhouse-connect", "pyarrow", "polars", "numpy")


def machine() -> dict[str, Any]:
    """Processor, memory and system."""
    return {
        "cores": os.cpu_count(),
        "cpu": _cpu_model(),
        "memory_bytes": psutil.virtual_memory().total,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def load_before() -> dict[str, Any]:
    """How busy the machine is before a run: load averages, and the share of its CPU used in the last second."""
    one, five, fifteen = os.getloadavg()
    return {"load_1m": one, "load_5m": five, "load_15m": fifteen, "busy_percent": psutil.cpu_percent(interval=1.0)}


def versions(settings: Settings) -> dict[str, str]:
    """Concord, its engines and the libraries that the figures depend on."""
    found = {name: engine.version for name, engine in engines(settings).items()}
    return {"concord": __version__, **found, **{name: version(name) for name in PACKAGES}}


def settings_of(settings: Settings) -> dict[str, Any]:
    """The sizes of the profile that the figures depend on."""
    return {
        "spark": settings.spark.model_dump(),
        "kafka_heap": settings.kafka.heap,
        "clickhouse_max_memory_bytes": settings.clickhouse.max_memory_bytes,
    }


def _cpu_model() -> str:
    try:
        with open("/proc/cpuinfo") as lines:
            found = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    except OSError:
        found = []
    return found[0] if found else platform.processor() or platform.machine()

"""What Spark spent on something, as its own books tell."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import takewhile
from typing import Any

from pyspark.sql import SparkSession

from concord.gateways.spark import java_pid
from concord.telemetry.memory import peak_bytes

NANOSECONDS = Decimal(1_000_000_000)
BOOKS_WITHIN_MS = 30_000
"""How long a stage's figures may take to be written down once it has ended."""


@dataclass(frozen=True)
class Spent:
    """Sums over stages; the memory is the driver's highest so far."""

    cpu_seconds: Decimal
    peak_memory_bytes: int
    shuffle_read_bytes: int
    shuffle_write_bytes: int
    memory_spilled_bytes: int
    disk_spilled_bytes: int


class Meter:
    """Counts from the moment that it is made."""

    def __init__(self, spark: SparkSession) -> None:
        self._spark = spark
        self._last = next((stage.stageId() for stage in self._stages()), -1)

    def read(self) -> Spent:
        """What the stages that began since have cost so far."""
        stages = list(takewhile(lambda stage: stage.stageId() > self._last, self._stages()))
        return Spent(
            cpu_seconds=sum(stage.executorCpuTime() for stage in stages) / NANOSECONDS,
            peak_memory_bytes=peak_bytes(java_pid(self._spark)),
            shuffle_read_bytes=sum(stage.shuffleReadBytes() for stage in stages),
            shuffle_write_bytes=sum(stage.shuffleWriteBytes() for stage in stages),
            memory_spilled_bytes=sum(stage.memoryBytesSpilled() for stage in stages),
            disk_spilled_bytes=sum(stage.diskBytesSpilled() for stage in stages),
        )

    def _stages(self) -> Iterator[Any]:
        """Every stage that Spark remembers (a thousand), as its interface would show it: the newest first."""
        context: Any = self._spark.sparkContext
        scala, java = context._jsc.sc(), context._jvm
        scala.listenerBus().waitUntilEmpty(BOOKS_WITHIN_MS)
        no_quantiles = context._gateway.new_array(java.double, 0)
        every = scala.statusStore().stageList(None, False, False, no_quantiles, java.java.util.ArrayList())
        return (every.apply(number) for number in range(every.size()))

"""What a rate of events needs: partitions, cores, memory, disk, network; and where it breaks first.

Every figure is a product of what was measured per event; its formula is at its function. Rates are per
second and sustained, bytes are bytes, and CPU is in microseconds of one core.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from concord.rules.hop_costs import Hop, HopCost
from concord.rules.sizing import Demand, Sizing

MICROSECONDS = 1e6
DAY_SECONDS = 86_400


@dataclass(frozen=True)
class HopPlan:
    """One hop's machines, and the rate at which they are not enough."""

    hop: Hop
    cores: int
    memory_bytes: float
    """Of all its processes together."""
    breaks_at_per_second: float
    is_serial: bool
    """True if what breaks is a task that more cores do not help."""


@dataclass(frozen=True)
class Disk:
    bytes_per_day: float
    kept_bytes: float
    """After the whole time of keeping."""
    provided_bytes: float
    """The disk to buy."""


@dataclass(frozen=True)
class Network:
    """Bytes per second."""

    broker_in: float
    broker_out: float
    clickhouse_in: float


@dataclass(frozen=True)
class Capacity:
    """The whole answer."""

    demand: Demand
    partitions: int
    executors: int
    cores_per_executor: int
    hops: tuple[HopPlan, ...]
    cpu_us_per_event: float
    """Of all hops: one core carries 1,000,000 ÷ this."""
    kafka_disk: Disk
    clickhouse_disk: Disk
    network: Network

    @property
    def breaks_first(self) -> HopPlan:
        return min(self.hops, key=lambda plan: plan.breaks_at_per_second)

    @property
    def is_enough(self) -> bool:
        """False if a serial task cannot carry the demand, however many cores there are."""
        return self.breaks_first.breaks_at_per_second >= self.demand.events_per_second


def capacity(demand: Demand, costs: Mapping[Hop, HopCost], sizing: Sizing) -> Capacity:
    """Size every hop for the demand."""
    executors = executors_for(demand, costs[Hop.SPARK], sizing)
    return Capacity(
        demand=demand,
        partitions=partitions_for(demand, executors * sizing.cores_per_executor, sizing),
        executors=executors,
        cores_per_executor=sizing.cores_per_executor,
        hops=(
            broker(demand, costs[Hop.BROKER], sizing),
            spark(demand, costs[Hop.SPARK], executors, sizing),
            clickhouse(demand, costs[Hop.CLICKHOUSE], sizing),
        ),
        cpu_us_per_event=sum(cost.cpu_us_per_event for cost in costs.values()),
        kafka_disk=kafka_disk(demand, sizing),
        clickhouse_disk=clickhouse_disk(demand, sizing),
        network=network(demand, sizing),
    )


def cores_for(demand: Demand, cost: HopCost, sizing: Sizing) -> int:
    """⌈events_per_second × cpu_us_per_event ÷ 1,000,000 ÷ used_share⌉"""
    return ceil(demand.events_per_second * cost.cpu_us_per_event / MICROSECONDS / sizing.used_share)


def executors_for(demand: Demand, cost: HopCost, sizing: Sizing) -> int:
    """⌈cores ÷ cores_per_executor⌉"""
    return ceil(cores_for(demand, cost, sizing) / sizing.cores_per_executor)


def partitions_for(demand: Demand, cores: int, sizing: Sizing) -> int:
    """The first multiple of Spark's cores, so that each reads as many, that is at least least_partitions and
    events_per_second × event_bytes ÷ partition_bytes_per_second."""
    by_bytes = demand.events_per_second * demand.event_bytes / sizing.partition_bytes_per_second
    return cores * ceil(max(by_bytes, sizing.least_partitions) / cores)


def breaks_at(cores: float, cost: HopCost) -> tuple[float, bool]:
    """min(cores × 1,000,000 ÷ cpu_us_per_event, 1,000,000 ÷ serial_us_per_event), and whether it is the latter."""
    by_cores = cores * MICROSECONDS / cost.cpu_us_per_event
    by_serial = MICROSECONDS / cost.serial_us_per_event if cost.serial_us_per_event else by_cores
    return min(by_cores, by_serial), by_serial < by_cores


def in_flight_bytes(demand: Demand, cost: HopCost) -> float:
    """events_per_second × trigger_seconds × memory_bytes_per_event"""
    return demand.events_per_second * demand.trigger_seconds * cost.memory_bytes_per_event


def broker(demand: Demand, cost: HopCost, sizing: Sizing) -> HopPlan:
    """Memory: memory_bytes + events_per_second × event_bytes × kafka_share × cached_seconds."""
    cores = cores_for(demand, cost, sizing)
    cached = demand.events_per_second * demand.event_bytes * sizing.kafka_share * sizing.cached_seconds
    return HopPlan(Hop.BROKER, cores, cost.memory_bytes + cached, *breaks_at(cores, cost))


def spark(demand: Demand, cost: HopCost, executors: int, sizing: Sizing) -> HopPlan:
    """Memory: (executors + 1 driver) × memory_bytes + in flight. One machine needs no driver beside its executor."""
    cores = executors * sizing.cores_per_executor
    memory = (executors + 1) * cost.memory_bytes + in_flight_bytes(demand, cost)
    return HopPlan(Hop.SPARK, cores, memory, *breaks_at(cores, cost))


def clickhouse(demand: Demand, cost: HopCost, sizing: Sizing) -> HopPlan:
    """Cores: as computed + query_cores, which do not count for what it bears.
    Memory: memory_bytes + in flight + query_bytes."""
    cores = cores_for(demand, cost, sizing)
    memory = cost.memory_bytes + in_flight_bytes(demand, cost) + sizing.query_bytes
    return HopPlan(Hop.CLICKHOUSE, cores + sizing.query_cores, memory, *breaks_at(cores, cost))


def kafka_disk(demand: Demand, sizing: Sizing) -> Disk:
    """Per day: events_per_second × 86,400 × event_bytes × kafka_share × replicas. Kept: × kafka_days."""
    stored = demand.event_bytes * sizing.kafka_share * sizing.replicas
    return _disk(demand.events_per_second * DAY_SECONDS * stored, demand.kafka_days, sizing)


def clickhouse_disk(demand: Demand, sizing: Sizing) -> Disk:
    """Per day: events_per_second × 86,400 × event_bytes ÷ clickhouse_compression × replicas. Kept: × clickhouse_days."""
    stored = demand.event_bytes / sizing.clickhouse_compression * sizing.replicas
    return _disk(demand.events_per_second * DAY_SECONDS * stored, demand.clickhouse_days, sizing)


def _disk(bytes_per_day: float, days: float, sizing: Sizing) -> Disk:
    """Provided: kept ÷ disk_share."""
    return Disk(bytes_per_day, bytes_per_day * days, bytes_per_day * days / sizing.disk_share)


def network(demand: Demand, sizing: Sizing) -> Network:
    """Broker in: events_per_second × event_bytes × kafka_share × replicas, out: the same without replicas ×
    (consumers + replicas − 1). ClickHouse in: events_per_second × event_bytes × replicas; inserts go uncompressed."""
    wire = demand.events_per_second * demand.event_bytes * sizing.kafka_share
    return Network(
        broker_in=wire * sizing.replicas,
        broker_out=wire * (sizing.consumers + sizing.replicas - 1),
        clickhouse_in=demand.events_per_second * demand.event_bytes * sizing.replicas,
    )

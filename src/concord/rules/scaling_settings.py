"""What the scaling policy may do: bounds, thresholds and patience, each with its unit."""

from dataclasses import dataclass, fields
from math import ceil, isfinite

from concord.errors import Misconfigured


@dataclass(frozen=True)
class ScalingSettings:
    """Bounds and patience of the policy. Raises :class:`Misconfigured` naming the first field that is wrong."""

    partitions: int
    """Of the Kafka topic: one core reads one partition, so more cores than partitions are idle."""
    cores_per_executor: int = 1
    min_executors: int = 1
    max_executors: int = 8
    target_share: float = 0.6
    """Share of the trigger interval that batches should take once a change is done."""
    up_share: float = 0.8
    """Share of the trigger interval above which executors are added."""
    drain_seconds: float = 120.0
    """The longest time in which what waits should be gone."""
    restart_seconds: float = 30.0
    """What a change costs: the driver starts again, and records wait meanwhile."""
    cool_down_seconds: float = 120.0
    """After a change nothing is changed for this long: what is seen in it is the change's own doing."""
    recent_seconds: float = 10.0
    """What counts as now; a single odd batch in it decides nothing."""
    calm_seconds: float = 600.0
    """Fewer executors must have been enough for this long before any is taken away."""
    down_share: float = 0.5
    """At least this share of the executors is kept by one change."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            _require(field.name, value, isfinite(value) and value > 0, "must be above 0")
        _require("target_share", self.target_share, self.target_share < self.up_share, "must be below up_share")
        _require("up_share", self.up_share, self.up_share <= 1, "must not exceed 1")
        _require("down_share", self.down_share, self.down_share < 1, "must be below 1")
        _require(
            "max_executors", self.max_executors, self.max_executors >= self.min_executors, "is below min_executors"
        )
        _require(
            "min_executors", self.min_executors, self.min_executors <= self.most, f"exceeds the {self.most} of use"
        )
        calm_is_longer = self.calm_seconds >= self.cool_down_seconds
        _require("calm_seconds", self.calm_seconds, calm_is_longer, "must not be below cool_down_seconds")

    @property
    def most(self) -> int:
        """Executors that can be of use: max_executors, or as many as have a partition for a core of theirs."""
        return min(self.max_executors, ceil(self.partitions / self.cores_per_executor))

    def bounded(self, executors: int) -> int:
        return min(max(executors, self.min_executors), self.most)


def _require(name: str, value: float, is_right: bool, why: str) -> None:
    if not is_right:
        raise Misconfigured(f"scaling setting {name} {why} (value: {value!r})")

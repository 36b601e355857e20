"""A fence, seen from downstream: the log position that divides before from after."""

import json
from dataclasses import dataclass, field

from concord.contracts.names import FENCE_TOPIC
from concord.contracts.position import Position
from concord.errors import Unavailable
from concord.gateways.kafka import Kafka
from concord.reconcile.cut import CDC_TOPICS
from concord.telemetry.waiting import NotYet, wait_for


@dataclass(frozen=True)
class FenceMark:
    """Every change with an LSN below ``lsn`` came before the fence, and lies at or below ``position``."""

    fence_id: int
    lsn: int
    position: Position


def await_fence(kafka: Kafka, fence_id: int, timeout: float) -> FenceMark:
    """Wait until the fence's own record is in Kafka; changes keep commit order, so all before it are too.

    Raises :class:`Unavailable` if the connector does not deliver it within ``timeout`` seconds.
    """
    fences = _Fences(kafka)
    try:
        lsn = wait_for(lambda: fences.lsn_of(fence_id), timeout)
    except NotYet:
        raise Unavailable(
            f"fence {fence_id} did not reach topic {FENCE_TOPIC} within {timeout:.0f} s",
            "is the connector running? concord status",
        ) from None
    return FenceMark(fence_id, lsn, kafka.end_position(CDC_TOPICS))


@dataclass
class _Fences:
    """The topic of fences, of which each look reads on from where the one before has ended."""

    kafka: Kafka
    read_to: Position = field(default_factory=Position)

    def lsn_of(self, fence_id: int) -> int | None:
        end = self.kafka.end_position([FENCE_TOPIC])
        for record in self.kafka.read(FENCE_TOPIC, after=self.read_to, until=end):
            fence = json.loads(record.value) if record.value else {}
            if fence.get("id") == fence_id:
                return int(fence["__source_lsn"])
        self.read_to = end
        return None

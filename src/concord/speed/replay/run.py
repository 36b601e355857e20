"""A query's tables made anew: wiped, filled from the lake in micro-batches, and handed over to Kafka."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce

from concord.contracts.position import Position
from concord.errors import Misconfigured
from concord.gateways.clickhouse import ClickHouse
from concord.gateways.kafka import Kafka
from concord.gateways.lake import Lake
from concord.speed.checkpoints.made_with import FILE, MadeWith
from concord.speed.checkpoints.plan import made_with
from concord.speed.checkpoints.standing import COMMITS, NONE_YET
from concord.speed.job import SpeedLayer
from concord.speed.micro_batch import QUERY_ID
from concord.speed.replay import plan as plans
from concord.speed.replay import spark_files, tables
from concord.speed.replay.extent import extent
from concord.speed.replay.from_lake import LANDED, Snapshots, receipts, records
from concord.speed.replay.plan import Plan

Moved = Callable[[int, int], None]
"""Is told how many micro-batches are done, and how many there are."""


@dataclass(frozen=True)
class Replay:
    """One query. ``store`` as who may truncate; ``size`` is about how many records a micro-batch holds."""

    layer: SpeedLayer
    query: str
    lake: Lake
    store: ClickHouse
    size: int

    def __call__(self, moved: Moved, accepts_gaps: bool = False) -> int:
        """Micro-batches done. Cut short and called again it goes on; the result is that of one call.

        Raises :class:`Misconfigured` where lake and Kafka together do not hold everything.
        """
        plan = self._plan(accepts_gaps)
        tables.keep_expired(self.store, self.query)
        try:
            if not plan.is_wiped:
                plan = self._wipe(plan)
            for number in range(self._done() + 1, len(plan.ends_ms)):
                moved(number, len(plan.ends_ms))
                self._run(plan, number)
            moved(len(plan.ends_ms), len(plan.ends_ms))
            self._hand_over(plan)
        finally:
            tables.let_expire(self.store, self.query)
        return len(plan.ends_ms)

    def _plan(self, accepts_gaps: bool) -> Plan:
        """The plan that was begun, or a new one over what the lake holds now."""
        folder = self.layer.checkpoints
        if begun := plans.read(folder, self.query):
            return begun
        self._refuse_other_topics()
        snapshots = self._snapshots()
        kept = Kafka(self.layer.bootstrap).kept(self.layer.topics(self.query))
        reach = extent(self._held(snapshots), kept, accepts_gaps)
        ends = receipts(self.layer.spark, self.query, snapshots, self.size)
        starts = {str(each): offset for each, offset in reach.next_offsets.items()}
        plan = Plan(str(uuid.uuid4()), snapshots, ends, starts)
        plans.write(folder, self.query, plan)
        return plan

    def _snapshots(self) -> Snapshots:
        names = [each.name for each in LANDED[self.query]]
        return {name: found for name in names if (found := self.lake.current_snapshot(name)) is not None}

    def _held(self, snapshots: Snapshots) -> Position:
        positions = (self.lake.position(name, snapshot) for name, snapshot in snapshots.items())
        return reduce(Position.merge, positions, Position())

    def _refuse_other_topics(self) -> None:
        """Offsets in the lake mean the topics that the old checkpoint was made with."""
        content = self.layer.checkpoints.read(f"{self.query}/{FILE}")
        was = MadeWith.from_json(content).topics if content else {}
        is_now = self._made_with().topics
        if again := [name for name in was if name in is_now and was[name].id != is_now[name].id]:
            raise Misconfigured(
                f"the lake's offsets are of other topics: {', '.join(again)} was deleted and created again",
                "start over: `concord reset`",
            )

    def _made_with(self) -> MadeWith:
        return made_with(Kafka(self.layer.bootstrap), self.query, self.layer.topics(self.query))

    def _wipe(self, plan: Plan) -> Plan:
        folder = self.layer.checkpoints
        tables.wipe(self.store, self.query, self.layer.topics(self.query))
        spark_files.begin(folder, self.query, plan.checkpoint_id)
        plans.write(folder, self.query, plan.wiped())
        return plan.wiped()

    def _done(self) -> int:
        numbers = self.layer.checkpoints.names(f"{self.query}/{COMMITS}")
        return max((int(name) for name in numbers if name.isdecimal()), default=NONE_YET)

    def _run(self, plan: Plan, number: int) -> None:
        rows = records(self.layer.spark, self.query, plan.snapshots, plan.span(number))
        self.layer.spark.sparkContext.setLocalProperty(QUERY_ID, plan.checkpoint_id)
        self.layer.micro_batch(self.query, lambda _: self.layer.clock())(rows, number)
        self._commit(number, plan)

    def _commit(self, number: int, plan: Plan) -> None:
        """Behind the last micro-batch Kafka goes on where the plan says, gaps and markers passed over."""
        starts, held = plan.next_offsets(), self.store.position()
        is_last = number == len(plan.ends_ms) - 1
        offsets = starts if is_last else {each: held[each] + 1 for each in starts}
        now_ms = round(self.layer.clock().timestamp() * 1000)
        spark_files.commit(self.layer.checkpoints, self.query, number, offsets, now_ms)

    def _hand_over(self, plan: Plan) -> None:
        """Without a micro-batch there is nothing to go on from: the query begins with Kafka's first record."""
        folder = self.layer.checkpoints
        if plan.ends_ms:
            folder.write(f"{self.query}/{FILE}", self._made_with().as_json())
        else:
            folder.remove(self.query)
        plans.finish(folder, self.query)

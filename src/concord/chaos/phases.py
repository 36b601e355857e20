"""Faults of what is sent: poison, a hot key, a burst, a pause."""

from collections.abc import Callable, Sequence

from concord.bench.ranges import OF_RUN
from concord.bench.record import HOT_USER
from concord.chaos.load import HEADS, Kind, Leg, Pace
from concord.chaos.scene import Scene, Struck, wait_until
from concord.telemetry.waiting import NotYet, wait_for

HEADS_PER_SECOND = 640
AT_HEAD = f"""
select _partition, reason from dead_letters
where {OF_RUN} and _offset = {{starts:Array(Int64)}}[_partition + 1] order by _partition
"""
DEAD = f"select count() from dead_letters where {OF_RUN}"
OF_HOT_USER = f"""
select countIf(user_id = {HOT_USER}), count(),
    (select max(rows) from (select count() as rows from events where {OF_RUN} group by _partition))
from events where {OF_RUN}
"""
BOUND = "select toUnixTimestamp(bound) from lateness_bound"


def through(pace: Pace) -> Sequence[Leg]:
    """The same load all the time."""
    return [Leg(pace.calm_seconds + pace.away_seconds + pace.patience_seconds, pace.per_second)]


def during(kind: Kind, factor: Callable[[Pace], float] = lambda pace: 1.0) -> Callable[[Pace], Sequence[Leg]]:
    """For one phase other records, or more of them."""

    def legs(pace: Pace) -> Sequence[Leg]:
        return [
            Leg(pace.calm_seconds, pace.per_second),
            Leg(pace.phase_seconds, pace.per_second * factor(pace), kind),
            Leg(pace.patience_seconds, pace.per_second),
        ]

    return legs


def behind_poison(pace: Pace) -> Sequence[Leg]:
    return [Leg(HEADS / HEADS_PER_SECOND, HEADS_PER_SECOND, Kind.HEAD), *through(pace)]


def after_a_pause(pace: Pace) -> Sequence[Leg]:
    calm = Leg(pace.calm_seconds, pace.per_second)
    return [calm, Leg(pace.idle_seconds, 0.0), Leg(pace.patience_seconds, pace.per_second)]


def poison_at_head(scene: Scene) -> Struck:
    """What has stopped a parser before is the first unread record of every partition."""
    partitions = len(scene.since.starts)

    def found() -> list[tuple[int, str]] | None:
        rows = scene.store.query(AT_HEAD, scene.since.params)
        return rows if len(rows) == partitions else None

    wait_until(scene.calm_until)
    try:
        heads = wait_for(found, scene.pace.patience_seconds)
    except NotYet:
        wrong = (
            f"not every partition's first record became a dead letter: {scene.store.query(AT_HEAD, scene.since.params)}"
        )
        return Struck(scene.begins_at, scene.begins_at, "", (wrong,))
    proof = "first records: " + ", ".join(f"{partition} {reason}" for partition, reason in heads)
    return Struck(scene.begins_at, scene.begins_at, proof)


def poison_only(scene: Scene) -> Struck:
    """Every record is broken for a while."""
    at, over_at = _phase(scene)
    dead = scene.store.query(DEAD, scene.since.params)[0][0]
    return Struck(at, over_at, f"nothing but broken records for {over_at - at:.0f} s, {dead:,} dead letters at its end")


def hot_key(scene: Scene) -> Struck:
    """Three of ten events are by one user: one partition, one session."""
    at, over_at = _phase(scene)
    hot, stored, largest = scene.store.query(OF_HOT_USER, scene.since.params)[0]
    proof = f"{hot:,} of {stored:,} events so far are by one user, {largest:,} in one partition"
    return Struck(at, over_at, proof)


def burst(scene: Scene) -> Struck:
    """So many times the rate for a while."""
    at, over_at = _phase(scene)
    rate = scene.pace.per_second * scene.pace.burst
    return Struck(
        at,
        over_at,
        f"{rate:,.0f}/s meant for {over_at - at:.0f} s, {scene.generator.sent:,} sent, {scene.lag():,} waited",
    )


def idle(scene: Scene) -> Struck:
    """Nothing comes in for a while, then load again. The lateness bound must have gone on by the clock."""
    over_at = scene.calm_until + scene.pace.idle_seconds
    wait_until(scene.calm_until + min(5.0, scene.pace.idle_seconds / 4))
    first = _bound(scene)
    wait_until(over_at - 0.5)
    moved = _bound(scene) - first
    wrong = () if moved > 0 else ("the lateness bound stood still while idle",)
    return Struck(scene.calm_until, over_at, f"idle; the lateness bound went on by {moved} s", wrong)


def _phase(scene: Scene) -> tuple[float, float]:
    """Waits for the end of the phase; when it began and ended."""
    over_at = scene.calm_until + scene.pace.phase_seconds
    wait_until(over_at)
    return scene.calm_until, over_at


def _bound(scene: Scene) -> int:
    return int(scene.store.query(BOUND)[0][0])

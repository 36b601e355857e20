"""How much of the models a build has to make anew: what changed since the last build that ended, or everything.

The working copies of the models outlive a batch. A build that broke off leaves some of them at its own
position and some at the one before; the next one takes in every change above the last position that all of
them held, up to the highest one that any of them may have reached. One that was to build everything is owed
as a whole. A build at an earlier position than the last one takes the changes between the two back.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum

from concord.contracts.derived import MODEL_BUILDS
from concord.contracts.position import Position
from concord.gateways.snowflake import Snowflake

TABLE = f"RAW.{MODEL_BUILDS.name}"


class State(StrEnum):
    BEGUN = "begun"
    ENDED = "ended"
    PUBLISHED = "published"


@dataclass(frozen=True)
class Build:
    """One step of a build of the models, as the warehouse remembers it."""

    number: int
    state: State
    position: Position
    as_of: datetime
    project: str
    is_full: bool


@dataclass(frozen=True)
class Extent:
    """Changes above ``since``, up to and with ``reached``, for models that are to hold ``position``.

    Without ``since`` everything is built anew. ``is_empty``: there is nothing to do at all.
    """

    position: Position
    since: Position | None = None
    reached: Position = field(default_factory=Position)
    is_empty: bool = False

    @property
    def is_full(self) -> bool:
        return self.since is None


def extent(builds: Sequence[Build], position: Position, as_of: datetime, project: str) -> Extent:
    """What a build at ``position`` has to take in after these ones, oldest first."""
    ended = next((build for build in reversed(builds) if build.state is not State.BEGUN), None)
    broken_off = [build for build in builds if ended and build.number > ended.number]
    if ended is None or any(build.project != project for build in (ended, *broken_off)):
        return Extent(position)
    if any(build.is_full for build in broken_off):
        return Extent(position)
    reached = position
    for build in (ended, *broken_off):
        reached = reached.merge(build.position)
    is_same = not broken_off and (ended.position, ended.as_of) == (position, as_of)
    return Extent(position, ended.position.cut(position), reached, is_empty=is_same)


def is_whole(builds: Sequence[Build]) -> bool:
    """True if everything was built anew since the models were last published: journals do not name those keys."""
    published = next((build.number for build in reversed(builds) if build.state is State.PUBLISHED), 0)
    return published == 0 or any(build.is_full for build in builds if build.number > published)


def builds(warehouse: Snowflake) -> list[Build]:
    """Every step of every build, oldest first."""
    rows = warehouse.query(f"select {', '.join(MODEL_BUILDS.names)} from {TABLE} order by number")
    return [
        Build(number, State(state), Position.from_json(json.loads(position)), _aware(as_of), project, is_full)
        for number, state, position, as_of, project, is_full in rows
    ]


def note(warehouse: Snowflake, build: Build) -> Build:
    """Write the step down."""
    values = (build.number, str(build.state), json.dumps(build.position.as_json()), _naive(build.as_of))
    placeholders = ", ".join(["%s"] * len(MODEL_BUILDS.names))
    warehouse.execute(
        f"insert into {TABLE} ({', '.join(MODEL_BUILDS.names)}) values ({placeholders})",
        (*values, build.project, build.is_full),
    )
    return build


def owe_anew(warehouse: Snowflake) -> None:
    """The next build makes everything anew, whoever runs it; without a build that is so anyway."""
    steps = builds(warehouse)
    if steps:
        note(warehouse, replace(following(steps[-1], State.BEGUN), is_full=True))


def following(build: Build, state: State) -> Build:
    """The same build, one step on."""
    return replace(build, number=build.number + 1, state=state)


def _aware(instant: datetime) -> datetime:
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def _naive(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(tzinfo=None)

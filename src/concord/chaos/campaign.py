"""A run of trials from beginning to end: a stack of its own, faults drawn by seed, one document."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from concord import bootstrap
from concord.bench.own_stack import SPEED_STORES, own_stack, start_speed
from concord.bench.publication import publication
from concord.bench.record import Recording
from concord.bench.result import Checks, Result, setting
from concord.chaos.faults import Fault, drawn
from concord.chaos.load import Pace, Recordings, Say
from concord.chaos.trial import Stage, Trial
from concord.platform.lifecycle import Watcher
from concord.settings import Settings
from concord.telemetry.clock import now

FOLDER = "chaos"
"""Below the home folder: results."""
COMPARED = (
    "by event type and table: rows, money, and hashes over every column, what is added of a seeded publication (tier, "
    "category, price) among them, and both times; dead letters by reason with their original bytes; in = stored + dead + "
    "duplicate + late; tables that views build against a recount of the events; sessions of every owner, with tier and "
    "categories, against the offline oracle, funnels by tier and category against the sessions"
)
Told = Callable[[Trial], None]


@dataclass(frozen=True)
class Plan:
    """One call of ``concord chaos speed``."""

    name: str
    command: str
    seed: int
    trials: int
    faults: Sequence[Fault]
    pace: Pace
    keeps: bool = False


def speed(settings: Settings, plan: Plan, watcher: Watcher, say: Say, told: Told) -> dict[str, Any]:
    """The result's document. A trial that cannot be ended is the last: what comes after it would mean nothing."""
    taken = setting(settings)
    recordings = Recordings(settings.cache / FOLDER, say=say)
    published = publication(Recording.seed)
    trials: list[Trial] = []
    with own_stack(with_failpoints(settings), SPEED_STORES, watcher, plan.keeps) as own:
        published.publish(bootstrap.clickhouse(own, "admin"))
        start_speed(own, watcher)
        stage = Stage(own, recordings, plan.pace, plan.seed, is_published=True)
        for number, fault in enumerate(drawn(plan.faults, plan.seed, plan.trials), start=1):
            say(f"trial {number} of {plan.trials}: {fault.name}")
            trials.append(stage.run(number, fault))
            told(trials[-1])
            if not trials[-1].records:
                break
    figures = {
        "seed": plan.seed,
        "publication": published.notes(),
        "pace": asdict(plan.pace),
        "trials": [trial.document() for trial in trials],
    }
    checks = Checks(COMPARED, [f"{trial.fault}: {text}" for trial in trials for text in trial.differences])
    at = now().isoformat(timespec="seconds")
    return Result(plan.name, at, plan.command, figures, checks, **vars(taken)).document()


def with_failpoints(settings: Settings) -> Settings:
    """The same, but its speed layer lets itself be killed at a step."""
    return settings.model_copy(update={"spark": settings.spark.model_copy(update={"failpoints": True})})


def keep(settings: Settings, document: dict[str, Any]) -> Path:
    """The document among the results below the home folder."""
    folder = settings.home / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{document['name']}-{document['measured_at'].replace(':', '')}.json"
    path.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
    return path

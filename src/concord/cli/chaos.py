"""``concord chaos``: break the speed layer on purpose, and see whether it was right and how soon it was fresh again."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from concord.bench import result
from concord.chaos import campaign
from concord.chaos.faults import FAULTS, chosen
from concord.chaos.load import Pace
from concord.chaos.trial import Trial
from concord.cli.bench import Told, command_line, say
from concord.cli.numbers import positive
from concord.cli.output import AsJson, console, print_json, table
from concord.errors import Disagreement, Unavailable
from concord.settings import load_settings

app = typer.Typer(help="Break things on purpose: kills, outages, poison, bursts; each record accounted for.")

COLUMNS = ("fault", "when", "in flight", "fresh again", "lost", "duplicated", "views", "sessions", "verdict")


@app.callback()
def chaos() -> None:
    """Break things on purpose: kills, outages, poison, bursts; each record accounted for."""


@app.command()
def speed(
    seed: Annotated[int, typer.Option(help="Which faults, in which order, at which moments.")] = 1,
    trials: Annotated[int | None, typer.Option(min=1, help="How many; each fault once if not given.")] = None,
    fault: Annotated[list[str], typer.Option(help="Only this one; may be given several times.")] = [],  # noqa: B006
    lists: Annotated[bool, typer.Option("--list", help="Say which faults there are, and do nothing.")] = False,
    rate: Annotated[float, positive("--rate", "Events a second.")] = Pace.per_second,
    away_seconds: Annotated[float, positive("--away-seconds", "How long ClickHouse is away.")] = Pace.away_seconds,
    idle_seconds: Annotated[float, positive("--idle-seconds", "How long nothing comes in.")] = Pace.idle_seconds,
    phase_seconds: Annotated[
        float, positive("--phase-seconds", "How long poison, hot key or burst last.")
    ] = Pace.phase_seconds,
    calm_seconds: Annotated[float, positive("--calm-seconds", "Load before a fault.")] = Pace.calm_seconds,
    burst: Annotated[float, typer.Option(min=1, help="So many times the rate.")] = Pace.burst,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the data of its stack for a look.")] = False,
    name: Annotated[str, typer.Option(help="Of the result's file.")] = "chaos",
    results: Annotated[Path | None, typer.Option("--results", help="Write the result here too.")] = None,
    as_json: AsJson = False,
) -> None:
    """Faults drawn by seed, on a stack of its own under load: nothing lost, nothing twice, views and sessions right."""
    faults = chosen(fault)
    if lists:
        _list(as_json)
        return
    pace = Pace(rate, calm_seconds, phase_seconds, away_seconds, idle_seconds, burst)
    plan = campaign.Plan(name, command_line(), seed, trials or len(faults), faults, pace, keep)
    settings = load_settings()
    told: list[Trial] = []
    document = campaign.speed(settings, plan, Told(), say, lambda trial: _tell(trial, told))
    paths = [campaign.keep(settings, document), *([result.write(results, document)] if results else [])]
    if as_json:
        print_json(document)
    else:
        console.print(table(f"{name}, seed {seed}", COLUMNS, [row(trial) for trial in told]))
        console.print(f"written: {', '.join(map(str, paths))}", highlight=False)
    refuse_failure(seed, told)


def _list(as_json: bool) -> None:
    each = [(fault.name, fault.what, f"{fault.fresh_within_seconds:g} s") for fault in FAULTS.values()]
    if as_json:
        names = ("fault", "what", "fresh_within")
        print_json([dict(zip(names, row, strict=True)) for row in each])
    else:
        console.print(table("Faults", ("fault", "what happens", "fresh again within"), each))


def _tell(trial: Trial, told: list[Trial]) -> None:
    told.append(trial)
    verdict = "; ".join([_verdict(trial), *trial.differences[:3]])
    say(f"{trial.fault}: {trial.proof}; fresh again: {_recovery(trial)}; {verdict}")


def row(trial: Trial) -> Sequence[Any]:
    """One trial for people."""
    return (
        trial.fault,
        f"{trial.at:%H:%M:%S}",
        trial.proof,
        _recovery(trial),
        trial.lost,
        trial.duplicated,
        len(trial.views),
        len(trial.sessions),
        _verdict(trial),
    )


def _recovery(trial: Trial) -> str:
    took = "not," if trial.recovery_seconds is None else f"{trial.recovery_seconds:.1f} s"
    return f"{took} of {trial.fresh_within_seconds:g} s"


def _verdict(trial: Trial) -> str:
    if not trial.is_right:
        return "wrong"
    return "right" if trial.is_in_time else "right, too slow"


def refuse_failure(seed: int, trials: Sequence[Trial]) -> None:
    """Raises :class:`Disagreement` if a check failed, else :class:`Unavailable` if a recovery was too slow."""
    if wrong := [trial for trial in trials if not trial.is_right]:
        first = [f"{trial.fault}: {text}" for trial in wrong for text in trial.differences]
        raise Disagreement(f"seed {seed}: {len(wrong)} of {len(trials)} trials wrong: " + "; ".join(first[:5]))
    if slow := [trial for trial in trials if not trial.is_in_time]:
        named = ", ".join(f"{trial.fault} {_recovery(trial)}" for trial in slow)
        raise Unavailable(f"seed {seed}: not fresh again in time: {named}", "nothing was lost; see docs/howto/chaos.md")

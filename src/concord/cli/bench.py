"""``concord bench``: what Concord takes and gives, measured and checked."""

import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from concord.bench import campaign, hops, result
from concord.bench.batch import Peer as BatchPeer
from concord.bench.batch import Step, with_needed
from concord.bench.beside import Beside
from concord.bench.peers import Peer
from concord.bench.record import Recording, Shares
from concord.bench.speed import Burst, Measured
from concord.cli.numbers import positive
from concord.cli.output import AsJson, console, errors, print_json, table
from concord.errors import Disagreement, Misconfigured
from concord.settings import Settings, load_settings

app = typer.Typer(help="Measure: both layers, each hop alone, dashboard questions, and what others do.")

Folder = Annotated[Path, typer.Option("--results", help="Where the result is written.")]
File = Annotated[Path | None, typer.Option("--file", help="Recorded events; made in the cache folder if not given.")]
Running = Annotated[bool, typer.Option("--running", help="On the stack that runs, instead of one of its own.")]
Keep = Annotated[bool, typer.Option("--keep", help="Leave the data of its own stack for a look.")]
Measure = Callable[[Settings, Path, int], Measured]


def _share(text: str) -> Any:
    return typer.Option(min=0.0, max=0.5, help=text)


def say(text: str) -> None:
    errors.print(f"[dim]{text}[/dim]", highlight=False)


class Told:
    """Says when an engine is ready or stopped."""

    def begins(self, name: str) -> None: ...

    def done(self, name: str, note: str) -> None:
        say(f"{name}: {note}")


@app.command()
def events(
    file: Annotated[Path, typer.Argument(help="Where they are written; the sidecar lies beside it, as .json.")],
    count: Annotated[
        int, typer.Option(min=1, help="How many are expected to be sent: what the sidecar counts.")
    ] = 1_000_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 1,
    recorded: Annotated[int, typer.Option(min=1000, help="Events recorded; a run replays them in rounds.")] = 200_000,
    visitors: Annotated[int, typer.Option(min=10, help="Who are there at once.")] = 20_000,
    invalid: Annotated[float, _share("Broken, in every way there is.")] = Shares.invalid,
    duplicate: Annotated[float, _share("Copies of one that was sent.")] = Shares.duplicate,
    late: Annotated[float, _share("A day or more old.")] = Shares.late,
    out_of_order: Annotated[float, _share("Sent after others that happened later.")] = Shares.out_of_order,
) -> None:
    """Record seeded visits to be replayed: every event with the places at which identity and times are written."""
    shares = Shares(invalid, duplicate, late, out_of_order)
    recording = Recording(min(recorded, count), seed, visitors, shares=shares)
    sidecar = campaign.record_to(file, recording, count)
    print_json(sidecar)


@app.command()
def speed(
    rate: Annotated[float, positive("--rate", "Events a second.")] = 20_000,
    seconds: Annotated[float, positive("--seconds", "How long, after the warm-up.")] = 600,
    backlog: Annotated[int, typer.Option(min=0, help="First drain so many events that wait; 0 for none.")] = 0,
    burst: Annotated[float, typer.Option(min=1, help="So many times the rate in the middle; 1 for none.")] = 1,
    burst_seconds: Annotated[float, positive("--burst-seconds", "How long the burst is.")] = 60,
    warm_up: Annotated[float, typer.Option(min=0, help="Seconds at the rate before it counts.")] = 60,
    runs: Annotated[int, typer.Option(min=1, help="Paced runs; figures are the median's run's, all are kept.")] = 1,
    beside: Annotated[Beside, typer.Option(help="What else works on the machine.")] = Beside.NOTHING,
    peer: Annotated[list[Peer], typer.Option(help="Then the same topic with what others would use.")] = [],  # noqa: B006
    file: File = None,
    running: Running = False,
    keep: Keep = False,
    name: Annotated[str, typer.Option(help="Of the result's file.")] = "speed",
    results: Folder = result.FOLDER,
    as_json: AsJson = False,
) -> None:
    """Sustained rate, freshness, CPU and memory of the speed layer; each record accounted for, or the run is void."""
    plan = campaign.Plan(
        name=name,
        command=command_line(),
        per_second=rate,
        seconds=seconds,
        backlog=backlog,
        burst=Burst(burst, burst_seconds) if burst > 1 else None,
        warm_seconds=warm_up,
        runs=runs,
        beside=beside,
        peers=tuple(peer),
        is_running=running,
        keeps=keep,
    )
    settings = load_settings()
    document = campaign.speed(settings, campaign.recorded_file(settings, file, say), plan, Told(), say)
    _finish(document, results, as_json)


@app.command()
def kafka(
    count: Annotated[int, typer.Option(min=1, help="Events to send and to read back.")] = 3_000_000,
    file: File = None,
    results: Folder = result.FOLDER,
    as_json: AsJson = False,
) -> None:
    """Kafka alone: produce with acks=all, then consume."""
    _hop("kafka", hops.kafka, count, file, results, as_json)


@app.command()
def clickhouse(
    count: Annotated[int, typer.Option(min=1, help="Rows to insert, twice.")] = 1_000_000,
    file: File = None,
    results: Folder = result.FOLDER,
    as_json: AsJson = False,
) -> None:
    """ClickHouse alone: the speed layer's inserts into the bare table, then with every view."""
    _hop("clickhouse", hops.clickhouse, count, file, results, as_json)


@app.command()
def queries(
    events: Annotated[int, typer.Option("--events", min=1, help="Events there are already.")] = 50_000_000,
    rate: Annotated[float, positive("--rate", "Events a second that come in meanwhile.")] = 20_000,
    seconds: Annotated[float, positive("--seconds", "How long questions are asked.")] = 300,
    warm_up: Annotated[float, typer.Option(min=0, help="Seconds of load before the first question.")] = 30,
    file: File = None,
    keep: Keep = False,
    results: Folder = result.FOLDER,
    as_json: AsJson = False,
) -> None:
    """What a dashboard asks, over a week's rows, while events come in."""
    settings = load_settings()
    plan = campaign.Plan("queries", command_line(), rate, seconds, warm_seconds=warm_up, keeps=keep)
    chosen = campaign.recorded_file(settings, file, say)
    _finish(campaign.queries(settings, chosen, plan, events, Told(), say), results, as_json)


@app.command()
def batch(
    lines: Annotated[
        int, typer.Option(min=1_000, help="Order lines to generate, over 100 days; a day more comes after them.")
    ] = 1_000_000,
    data: Annotated[
        Path | None, typer.Option(help="A file that `concord load online-retail` takes, instead of generated lines.")
    ] = None,
    only: Annotated[str, typer.Option(help=f"Steps, of {', '.join(Step)}; all if not given.")] = "",
    seed: Annotated[int, typer.Option(help="The same seed gives the same rows.")] = 1,
    peer: Annotated[list[BatchPeer], typer.Option(help="Then the same models with what others would use.")] = [],  # noqa: B006
    keep: Keep = False,
    name: Annotated[str, typer.Option(help="Of the result's file.")] = "batch",
    results: Folder = result.FOLDER,
    as_json: AsJson = False,
) -> None:
    """The batch layer from Kafka to the marts, and DuckDB alone beside it; equal row for row, or the run is void."""
    from concord.bench.batch import run  # Spark and Arrow take seconds to import
    from concord.cli.batch import tools

    plan = run.Plan(name, command_line(), lines, seed, with_needed(steps_of(only)), data, keep, frozenset(peer))
    _finish(run.batch(load_settings(), plan, tools, Told(), say), results, as_json)


def steps_of(given: str) -> list[Step]:
    """``sink,merge``. Raises :class:`Misconfigured` naming a word that is no step."""
    words = [word.strip() for word in given.split(",") if word.strip()]
    if unknown := [word for word in words if word not in list(Step)]:
        raise Misconfigured(f"--only: {unknown[0]!r} is no step of the batch benchmark", f"it has {', '.join(Step)}")
    return [Step(word) for word in words]


@app.command()
def recommendations(
    file: Annotated[Path, typer.Argument(help="A file that `concord load online-retail` takes.")],
    held_out: Annotated[
        int, typer.Option(min=1, max=99, help="Percent of the orders, the last ones, to try it on.")
    ] = 20,
    as_json: AsJson = False,
) -> None:
    """Do lists of what is bought together name what people go on to buy, better than what is bought most?"""
    from concord.bench.recommendations import evaluate

    with errors.status("learn from the earlier orders, try the later ones"):
        found = evaluate(file, held_out)
    if as_json:
        print_json({**asdict(found), "is_better": found.is_better})
        return
    rows = [(score.basis, *map(_percent, (*score.hit_rates, score.hit_rates_by_order[-1]))) for score in found.scores]
    columns = ["list", *(f"at {place + 1}" for place in range(len(rows[0]) - 2)), f"at {len(rows[0]) - 2}, by order"]
    title = (
        f"{found.products_looked_at:,} products of {found.orders_tried:,} orders, learned from {found.orders_learned:,}"
    )
    console.print(table(f"Hit rates over {title}", columns, rows))
    console.print("bought together is better" if found.is_better else "popularity is as good or better")


def _percent(rate: float) -> str:
    return f"{rate:.1%}"


@app.command()
def report(results: Folder = result.FOLDER) -> None:
    """Write the page and its plots anew from the results."""
    from concord.bench.page import write  # plots take seconds to import

    console.print(f"written: {write(results)}", highlight=False)


def _hop(name: str, measure: Measure, count: int, file: Path | None, folder: Path, as_json: bool) -> None:
    settings = load_settings()
    chosen = campaign.recorded_file(settings, file, say)
    plan = campaign.Plan(name, command_line(), per_second=0, seconds=0)
    document = campaign.hop(settings, plan, Told(), lambda own: measure(own, chosen, count))
    _finish(document, folder, as_json)


def command_line() -> str:
    """As it was given, but for the folders of this machine: results are published."""
    return " ".join(["concord", *(Path(word).name if Path(word).is_absolute() else word for word in sys.argv[1:])])


def _finish(document: dict[str, Any], folder: Path, as_json: bool) -> None:
    """Written, shown, and refused if void."""
    path = result.write(folder, document)
    if as_json:
        print_json(document)
    else:
        console.print(table(document["name"], ("figure", "value"), campaign.shown(document)))
        console.print(f"written: {path}", highlight=False)
    if document["is_void"]:
        raise Disagreement(f"{document['name']} is void: " + "; ".join(document["checks"]["differences"][:5]))

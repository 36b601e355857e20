"""``concord dlq``: records that broke their contract, seen, repaired and sent again."""

from datetime import datetime
from typing import Annotated

import typer

from concord import bootstrap
from concord.cli import dead_letters as views
from concord.cli.audited import audited
from concord.cli.moments import MOMENTS, in_utc
from concord.cli.output import AsJson, console, print_json
from concord.contracts.audit import Action
from concord.errors import ContractViolation
from concord.ingest.dead_letters.fixes import BadFix, Fix, parse_fix
from concord.ingest.dead_letters.letters import REASONS, Place, Selection
from concord.ingest.dead_letters.replay import SENDER, Replay, Report
from concord.ingest.dead_letters.store import LetterStore
from concord.settings import Settings, load_settings
from concord.telemetry.clock import now

app = typer.Typer(help="Dead letters: list them, look at them, repair and replay them.", no_args_is_help=True)

Positions = Annotated[
    list[str] | None,
    typer.Argument(metavar="POSITION", help="topic/partition/offset that it came from; all if none is named."),
]
Reasons = Annotated[list[str] | None, typer.Option("--reason", help=f"May be given again. {', '.join(REASONS)}.")]
Topic = Annotated[str | None, typer.Option(help="The topic that they came from.")]
Since = Annotated[datetime | None, typer.Option(formats=MOMENTS, help="First seen then or later, UTC.")]
Until = Annotated[datetime | None, typer.Option(formats=MOMENTS, help="First seen before, UTC.")]


@app.command("list")
def list_groups(as_json: AsJson = False) -> None:
    """Dead letters by topic and reason: how many, how many replayed, since when, and an example."""
    groups = LetterStore(bootstrap.clickhouse(load_settings(), "reader")).groups()
    if as_json:
        print_json([group.document() for group in groups])
    else:
        views.print_groups(groups)


@app.command()
def show(
    positions: Positions = None,
    reason: Reasons = None,
    topic: Topic = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, the newest first.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Dead letters with their original bytes, what is wrong with them, and what was done about them."""
    selection = selected(positions, reason, topic, since, until)
    settings = load_settings()
    store = LetterStore(bootstrap.clickhouse(settings, "reader"))
    refuse_missing(store, selection)
    with audited(settings, Action.READ, "dlq show", store="speed", identity="reader") as noted:
        letters = store.first(selection, max(limit, len(selection.places)))
        noted.note(rows_out=len(letters))
    history = store.history([letter.place for letter in letters])
    if as_json:
        print_json([views.letter_document(letter, history) for letter in letters])
    else:
        views.print_letters(letters, history)


@app.command()
def replay(
    positions: Positions = None,
    reason: Reasons = None,
    topic: Topic = None,
    since: Since = None,
    until: Until = None,
    fix: Annotated[
        str | None, typer.Option(help="A jq program, or a JSON patch (a JSON list of operations), for each of them.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent and refused, and stop.")] = False,
    as_json: AsJson = False,
) -> None:
    """Send dead letters to their topic again, each at most once. Exit 3 if any is refused.

    What is invalid still, after the fix, is not sent. A change record never is: its fix is at the source.
    """
    selection = selected(positions, reason, topic, since, until)
    repair = fix_of(fix)
    settings = load_settings()
    action, what = (Action.READ, "dlq replay --dry-run") if dry_run else (Action.CHANGE, "dlq replay")
    with audited(settings, action, what, store="speed", identity="reader" if dry_run else "writer") as noted:
        report = replayed(settings, selection, repair, dry_run)
        refused = len(report.refused)
        noted.note(rows_in=len(report.letters), rows_out=len(report.letters) - refused, rows_rejected=refused)
    if as_json:
        print_json(views.report_document(report))
    else:
        views.print_report(report)
    if report.refused:
        count, total = len(report.refused), len(report.letters)
        raise ContractViolation(f"{count:,} of {total:,} dead letters refused", "concord dlq show POSITION")


def replayed(settings: Settings, selection: Selection, fix: Fix | None, is_dry_run: bool) -> Report:
    """Replay, or say what a replay would do."""
    kafka = bootstrap.kafka(settings)
    store = LetterStore(bootstrap.clickhouse(settings, "reader" if is_dry_run else "writer"))
    refuse_missing(store, selection)
    started = now()
    plan = Replay(store, kafka, selection, fix, f"replay-{started:%Y%m%dT%H%M%S.%f}", now)
    with console.status("looking at dead letters …"):
        return plan.preview() if is_dry_run else plan.run(kafka.sender(SENDER))


def selected(
    positions: list[str] | None,
    reasons: list[str] | None,
    topic: str | None,
    since: datetime | None,
    until: datetime | None,
) -> Selection:
    """The options as a selection. Raises :class:`typer.BadParameter` for what cannot be meant."""
    for reason in reasons or ():
        if reason not in REASONS:
            raise typer.BadParameter(f"{reason!r} is none of {', '.join(REASONS)}", param_hint="--reason")
    since, until = in_utc(since), in_utc(until)
    if since and until and since >= until:
        raise typer.BadParameter(f"{until.isoformat()} does not lie after --since", param_hint="--until")
    return Selection(tuple(map(place_of, positions or ())), tuple(reasons or ()), topic, since, until)


def place_of(text: str) -> Place:
    """Raises :class:`typer.BadParameter` unless it is a position."""
    try:
        return Place.parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="POSITION") from None


def fix_of(text: str | None) -> Fix | None:
    """Raises :class:`typer.BadParameter` for what is neither a jq program nor a JSON patch."""
    try:
        return None if text is None else parse_fix(text)
    except BadFix as error:
        raise typer.BadParameter(str(error), param_hint="--fix") from None


def refuse_missing(store: LetterStore, selection: Selection) -> None:
    """Raises :class:`typer.BadParameter` if there is no dead letter at a position that is named."""
    if missing := store.missing(selection.places):
        raise typer.BadParameter(f"there is no dead letter at {missing[0]}", param_hint="POSITION")

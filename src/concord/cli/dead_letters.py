"""Dead letters on the screen and in JSON. Everything in them was written by others: see ``plain_text``."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from concord.cli.output import console, table
from concord.cli.plain_text import exact, plain, readable
from concord.ingest.dead_letters.audit import Outcome, source_of
from concord.ingest.dead_letters.letters import DeadLetter, Group, Place
from concord.ingest.dead_letters.replay import Replayed, Report

SHOWN_REFUSALS = 20

History = Sequence[Mapping[str, Any]]


def print_groups(groups: Sequence[Group]) -> None:
    """One table per topic, one row per reason."""
    if not groups:
        console.print("no dead letters")
    for topic, own in groupby(groups, lambda group: group.topic):
        columns = ["reason", "letters", "replayed", "open", "first, last seen", "example"]
        console.print(table(plain(topic), columns, [_group_row(each) for each in own]))


def _group_row(group: Group) -> tuple[object, ...]:
    return (
        plain(group.reason),
        group.letters,
        group.replayed,
        group.open,
        f"{group.first_seen_at:%Y-%m-%d %H:%M}\n{group.last_seen_at:%Y-%m-%d %H:%M}",
        f"{group.example.partition}/{group.example.offset}\n{plain(group.pointer)}",
    )


def letter_document(letter: DeadLetter, history: History) -> dict[str, Any]:
    """One letter in JSON's types, with what was done about it and the letter that it was sent for, if any."""
    origins = [source_of(row) for row in history if _produced(row) == letter.place]
    return {
        "position": str(letter.place),
        "reason": letter.reason,
        "pointer": letter.pointer,
        "detail": letter.detail,
        "received_at": letter.received_at.isoformat(),
        "first_seen_at": letter.first_seen_at.isoformat(),
        "original": exact(letter.original),
        "attempts": letter.attempts,
        "replay_of": str(origins[0]) if origins else None,
        "replays": [_step(row) for row in history if source_of(row) == letter.place],
    }


def _step(row: Mapping[str, Any]) -> dict[str, Any]:
    produced = _produced(row)
    return {
        **{name: row[name] for name in ("replay_id", "attempt", "outcome", "refusal", "detail", "fix")},
        "produced": str(produced) if produced else None,
        "at": row["replayed_at"].isoformat(),
    }


def _produced(row: Mapping[str, Any]) -> Place | None:
    if row["outcome"] != Outcome.SENT:
        return None
    return Place(row["produced_topic"], row["produced_partition"], row["produced_offset"])


def print_letters(letters: Sequence[DeadLetter], history: History) -> None:
    """Letter after letter, each with its steps."""
    if not letters:
        console.print("no such dead letters")
    for letter in letters:
        _print_letter(letter, letter_document(letter, history))


def _print_letter(letter: DeadLetter, document: Mapping[str, Any]) -> None:
    console.print(f"[bold]{plain(document['position'])}[/bold]  {plain(letter.reason)}", highlight=False)
    at = f"{plain(letter.pointer)} " if letter.pointer else ""
    _line("fault", f"{at}{plain(letter.detail)}")
    _line("first seen", f"{letter.first_seen_at:%Y-%m-%d %H:%M:%S} UTC")
    _line("original", readable(letter.original))
    if document["replay_of"]:
        _line("replay of", f"{plain(document['replay_of'])}, attempt {letter.attempts}")
    for step in document["replays"]:
        _line("replay", _in_words(step))
    console.print()


def _line(name: str, text: str) -> None:
    console.print(f"  [dim]{name:<11}[/dim]{text}", highlight=False, soft_wrap=True, emoji=False)


def _in_words(step: Mapping[str, Any]) -> str:
    parts = [
        f"{step['at']} {step['outcome']}, attempt {step['attempt']}",
        step["refusal"] and f"{step['refusal']}: {step['detail']}",
        step["produced"] and f"as {step['produced']}",
        step["fix"] and f"fix {step['fix']}",
    ]
    return plain("; ".join(filter(None, parts)))


def report_document(report: Report) -> dict[str, Any]:
    """The report in JSON's types, letter by letter."""
    return {
        "replay_id": report.replay_id,
        "dry_run": report.is_dry_run,
        "found": report.found,
        "withdrawn": report.withdrawn,
        "sent": [_sent(each) for each in report.sent],
        "refused": [_refused(each) for each in report.refused],
    }


def _sent(each: Replayed) -> dict[str, Any]:
    produced = str(each.produced) if each.produced else None
    return {"position": str(each.place), "reason": each.reason, "attempt": each.attempt, "produced": produced}


def _refused(each: Replayed) -> dict[str, Any]:
    return {"position": str(each.place), "reason": each.reason, "refusal": each.why, "detail": each.detail}


def print_report(report: Report) -> None:
    """Counts by reason, then the first refusals with what is wrong."""
    sent = "would be sent" if report.is_dry_run else "sent"
    if report.found or report.withdrawn:
        console.print(
            f"a replay broke off; of its records {report.found:,} had been sent, {report.withdrawn:,} had not"
        )
    counts = Counter((each.reason, each.why or sent) for each in report.letters)
    rows = [(plain(reason), plain(outcome), count) for (reason, outcome), count in sorted(counts.items())]
    console.print(table(f"Replay {report.replay_id}", ["dead letter", "outcome", "letters"], rows))
    for each in report.refused[:SHOWN_REFUSALS]:
        _line("refused", plain(f"{each.place} {each.why}: {each.detail}"))
    if (more := len(report.refused) - SHOWN_REFUSALS) > 0:
        _line("refused", f"… and {more:,} more (--json has every one)")

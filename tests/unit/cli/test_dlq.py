"""What cannot be meant is refused before anything is asked."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from click.testing import Result
from typer.testing import CliRunner

from concord.cli.dlq import app, selected
from concord.errors import ExitCode
from concord.ingest.dead_letters.letters import Place

WIDE = {"COLUMNS": "400", "TERMINAL_WIDTH": "400"}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env=WIDE)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["replay", "--reason", "flubber"], "'flubber' is none of too_large"),
        (["show", "--reason", "flubber"], "'flubber' is none of too_large"),
        (["replay", "--fix", ".a |"], "is no jq program: syntax error"),
        (["replay", "--fix", '[{"op": "frob", "path": ""}]'], "is no JSON patch: Unknown operation 'frob'"),
        (["replay", "--since", "2026-02-01", "--until", "2026-01-01"], "does not lie after --since"),
        (["show", "--since", "2026-02-01", "--until", "2026-02-01"], "does not lie after --since"),
        (["show", "--since", "yesterday"], "'yesterday' does not match the formats"),
        (["replay", "ecommerce.events.v1/17"], "'ecommerce.events.v1/17' is no topic/partition/offset"),
        (["replay", "--force"], "No such option"),
    ],
)
def test_a_bad_option_is_a_matter_of_usage_and_told_in_one_line(arguments: list[str], says: str) -> None:
    result = run(*arguments)
    assert result.exit_code == ExitCode.USAGE
    assert [says in line for line in result.output.splitlines()].count(True) == 1


def test_moments_are_meant_in_utc_unless_they_say_otherwise() -> None:
    zone = timezone(timedelta(hours=2))
    naive, aware = datetime(2026, 1, 1), datetime(2026, 1, 2, tzinfo=zone)  # noqa: DTZ001 - as typer gives it
    selection = selected(["t/0/1"], None, None, naive, aware)
    assert (selection.since, selection.until) == (naive.replace(tzinfo=UTC), aware)
    assert selection.places == (Place("t", 0, 1),)

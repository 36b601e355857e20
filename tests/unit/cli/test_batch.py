"""What cannot be meant by ``concord batch run`` is refused before anything is asked."""

import pytest
from typer.testing import CliRunner

from concord.cli.batch import app
from concord.errors import ExitCode

WIDE = {"COLUMNS": "400", "TERMINAL_WIDTH": "400"}
KEEPS = "a batch that is run again keeps its name and its time"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--from", "2024-02-01", "--to", "2024-01-31"], "--from 2024-02-01 is after --to 2024-01-31"),
        (["--from", "2024-02-30"], "'2024-02-30' does not match the format"),
        (["--again", "b1", "--batch-id", "b2"], KEEPS),
        (["--to", "2024-01-31", "--as-of", "2024-01-31"], KEEPS),
    ],
)
def test_what_cannot_be_meant_is_named(arguments: list[str], says: str) -> None:
    refused = CliRunner().invoke(app, ["run", *arguments], env=WIDE)
    assert refused.exit_code == ExitCode.USAGE
    assert says in refused.output

"""What can be traced, and what is refused before any store is asked."""

import pytest
import typer
from typer.testing import CliRunner

from concord.cli.trace import LARGEST_KEY, Traced, trace
from concord.contracts.tables import TABLES
from concord.errors import ExitCode

WIDE = {"COLUMNS": "400", "TERMINAL_WIDTH": "400"}
app = typer.Typer()
app.command()(trace)


def test_every_table_and_the_events_can_be_traced() -> None:
    assert [*Traced] == [*TABLES, "events"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["flubber", "1"], "'flubber' is not one of 'users', 'products', 'orders', 'order_items', 'events'"),
        (["orders", "seven"], "'seven' is no id of orders: it is a whole number"),
        (["orders", str(LARGEST_KEY + 1)], "is no id of orders: it is a whole number"),
        (["events", "4711"], "'4711' is no event_id: it is a UUID"),
    ],
)
def test_what_cannot_be_a_key_is_a_matter_of_usage_and_told_in_one_line(arguments: list[str], says: str) -> None:
    result = CliRunner().invoke(app, arguments, env=WIDE)
    assert result.exit_code == ExitCode.USAGE
    assert [says in line for line in result.output.splitlines()].count(True) == 1

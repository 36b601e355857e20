import json

import pytest
from typer.testing import CliRunner

from concord.cli import app
from concord.errors import ExitCode

RUNNER = CliRunner()


def rehearsed(sql: str, *options: str) -> tuple[int, str]:
    done = RUNNER.invoke(app, ["schema", "rehearse", sql, *options])
    return done.exit_code, done.output


def test_what_flows_ends_well_and_every_hop_is_named() -> None:
    code, told = rehearsed("ALTER TABLE orders ADD COLUMN channel text")
    assert code == ExitCode.OK
    for hop in (
        "PostgreSQL",
        "Debezium",
        "Kafka",
        "lake change log",
        "lake mirror",
        "RAW",
        "STAGING",
        "ClickHouse",
        "fence",
    ):
        assert hop in told


@pytest.mark.parametrize("sql", ["drop status", "rename to bills", "alter total_amount type text using 'x'"])
def test_what_is_set_aside_refused_or_differs_is_no_success(sql: str) -> None:
    assert rehearsed(f"alter table orders {sql}")[0] == ExitCode.CONTRACT_VIOLATION


def test_a_machine_gets_one_document() -> None:
    code, told = rehearsed("alter table orders add channel text, drop status", "--json")
    document = json.loads(told)
    assert (code, document["table"]) == (ExitCode.CONTRACT_VIOLATION, "orders")
    assert [(one["action"], one["is_clean"]) for one in document["effects"]] == [
        ("add channel text", True),
        ("drop status", False),
    ]
    assert document["effects"][1]["hops"]["RAW"]["verdict"] == "set aside"

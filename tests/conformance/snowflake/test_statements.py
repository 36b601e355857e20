"""Every statement of the table does what the table expects: a flip either way fails."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from concord.errors import ConcordError
from concord.gateways.snowflake import Snowflake
from tests.conformance.snowflake.server import Server

pytestmark = pytest.mark.conformance

SCRIPT = Path(__file__).with_name("statements.sql")
MARK = "-- refused: "


@dataclass(frozen=True)
class Statement:
    """``refused`` is the reason, empty where the statement must succeed."""

    sql: str
    refused: str


def statements() -> list[Statement]:
    blocks = SCRIPT.read_text().split("\n\n")[1:]
    return [_statement(block.strip()) for block in blocks if block.strip()]


def _statement(block: str) -> Statement:
    first, _, rest = block.partition("\n")
    return Statement(rest, first.removeprefix(MARK)) if first.startswith(MARK) else Statement(block, "")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    (folder / "out").mkdir()
    (folder / "a.csv").write_text("1,x,2024-01-01 10:00:00\n2,y,2024-01-02 11:00:00\n")
    documents = [{"id": 1, "items": [{"p": 1, "q": 2}, {"p": 2, "q": 3}]}, {"id": 2, "items": []}]
    (folder / "j.json").write_text("\n".join(json.dumps(document) for document in documents))
    amounts = pa.array([Decimal("1.10"), Decimal("2.20")], pa.decimal128(10, 2))
    instants = pa.array([datetime(2024, 1, 1), datetime(2024, 1, 2)], pa.timestamp("us"))  # noqa: DTZ001
    table = pa.table({"id": [1, 2], "email": ["a@x", "b@x"], "amt": amounts, "ts": instants})
    pq.write_table(table, folder / "u.parquet")
    return folder


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory, files: Path) -> Iterator[dict[str, str]]:
    """What each statement was refused with, empty if it succeeded; all in one session, in order."""
    with Server(tmp_path_factory.mktemp("statements") / "data") as server, server.client("PUBLIC") as warehouse:
        yield {statement.sql: _outcome(warehouse, statement.sql, files) for statement in statements()}


def _outcome(warehouse: Snowflake, sql: str, files: Path) -> str:
    try:
        warehouse.answer(sql.replace("{files}", str(files)))
    except ConcordError as error:
        return error.message
    return ""


@pytest.mark.parametrize("statement", statements(), ids=lambda statement: " ".join(statement.sql.split())[:60])
def test_statement_is_taken_or_refused_as_the_table_says(statement: Statement, outcomes: dict[str, str]) -> None:
    refusal = outcomes[statement.sql]
    if statement.refused:
        assert refusal, f"it is expected to be refused ({statement.refused}), and now it succeeds"
    else:
        assert refusal == ""


def test_no_failure_is_an_http_error(outcomes: dict[str, str]) -> None:
    """Drivers repeat a request that ends in HTTP 500 for minutes."""
    assert not [refusal for refusal in outcomes.values() if "HTTP" in refusal]

"""DuckDB alone computes what plain Python does over a shop's life, with everything that can happen in it."""

import pyarrow as pa
import pytest

from concord.batch.models import PUBLISHED
from concord.bench.batch.files import ChangeFiles
from concord.bench.batch.single import MODELS, connected, statements
from concord.contracts.marts import stamp
from concord.contracts.tables import TABLES, as_change
from concord.dialects.arrow import arrow_schema
from tests.marts_oracle import Oracle, Values
from tests.shop_history import ShopHistory


@pytest.fixture(scope="module")
def history() -> ShopHistory:
    return ShopHistory(3).live(days=40, changes=8)


@pytest.fixture(scope="module")
def found(history: ShopHistory, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Values]]:
    """Rows of every model in the order of its key, build stamps aside."""
    folder = tmp_path_factory.mktemp("alone")
    files = ChangeFiles(folder)
    for name in TABLES:
        files.add("history", name, as_arrow(name, history))
    with connected(folder / "alone.duckdb") as duck:
        for statement in statements(files.paths, history.as_of()):
            duck.execute(statement)
        return {model: duck.execute(question(model)).fetchall() for model in MODELS}


def question(model: str) -> str:
    dataset = next(dataset for _, dataset in PUBLISHED if dataset.name == model)
    columns = ", ".join(name for name in dataset.names if name != stamp(dataset))
    return f"select {columns} from {model} order by {', '.join(dataset.key)}"


def as_arrow(name: str, history: ShopHistory) -> pa.Table:
    schema = arrow_schema(as_change(TABLES[name]))
    rows = [{**row, "__op": str(row["__op"])} for row in history.logs[name]]
    return pa.Table.from_pylist(rows, schema=pa.schema([field.with_nullable(True) for field in schema]))


@pytest.fixture(scope="module")
def expected(history: ShopHistory) -> dict[str, list[Values]]:
    return Oracle(history, history.as_of()).expected()


def test_every_model_made_of_the_shop_is_computed(expected: dict[str, list[Values]]) -> None:
    assert set(MODELS) == set(expected)


@pytest.mark.parametrize("model", MODELS)
def test_rows_are_those_of_the_plain_computation(
    found: dict[str, list[Values]], expected: dict[str, list[Values]], model: str
) -> None:
    assert found[model] == expected[model]
    assert found[model]

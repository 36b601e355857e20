"""DuckDB alone finds the versions that a replay of the change log, record by record, does."""

from importlib.resources import files

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from concord.contracts.marts import stamp
from concord.contracts.model import Dataset
from concord.contracts.tables import PRODUCTS, TOAST_PLACEHOLDER, USERS, as_change
from concord.dialects.arrow import arrow_schema
from tests.history_logs import HISTORY_OF, Log, change_logs
from tests.history_oracle import Values, history_rows


@pytest.mark.parametrize("table", [USERS, PRODUCTS], ids=lambda table: table.name)
@given(data=st.data())
def test_versions_are_those_of_a_replay(table: Dataset, data: st.DataObject) -> None:
    log = data.draw(change_logs(table))
    assert alone(table, log) == list(history_rows(HISTORY_OF[table.name], log))


def alone(table: Dataset, log: Log) -> list[Values]:
    history = HISTORY_OF[table.name]
    sql = files("concord.bench.batch").joinpath(f"sql/{history.name}.sql").read_text()
    names = ", ".join(name for name in history.names if name != stamp(history))
    schema = pa.schema([field.with_nullable(True) for field in arrow_schema(as_change(table))])
    with duckdb.connect() as duck:
        duck.execute("set TimeZone = 'UTC'")
        duck.execute(f"set variable placeholder = '{TOAST_PLACEHOLDER}'")
        duck.register(f"{table.name}_log", pa.Table.from_pylist(log, schema=schema))
        return duck.execute(f"select {names} from ({sql}) order by {', '.join(history.key)}").fetchall()

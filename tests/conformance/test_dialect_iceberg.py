"""What the Iceberg dialect declares holds what the contract says: rows come back equal."""

from uuid import uuid4

import pyarrow as pa
import pytest

from concord.contracts.model import Dataset
from concord.contracts.tables import LAKE_NAMES
from concord.dialects.iceberg import LAKE_DATASETS
from concord.gateways.lake import Lake
from tests.factories import edge_row, row

pytestmark = [pytest.mark.conformance, pytest.mark.integration]


@pytest.mark.parametrize("dataset", LAKE_DATASETS, ids=lambda dataset: dataset.name)
def test_extreme_and_ordinary_rows_come_back_equal(lake: Lake, dataset: Dataset) -> None:
    # In one piece: pyiceberg alone cannot write into a partition by day.
    own = dataset.extended(f"test_{uuid4().hex[:12]}", partition=None)
    sent = [edge_row(own), row(own, seed=3)]
    lake.create_table(own)
    try:
        table = lake._table(own.name)
        table.append(pa.Table.from_pylist(sent, schema=table.schema().as_arrow()))
        stored = lake.scan(own.name).to_pylist()
    finally:
        lake.drop_table(own.name)
    assert sorted(stored, key=str) == sorted(sent, key=str)


@pytest.mark.parametrize("dataset", LAKE_DATASETS, ids=lambda dataset: dataset.name)
def test_no_column_bears_a_name_that_iceberg_keeps_for_itself(dataset: Dataset) -> None:
    assert set(LAKE_NAMES).isdisjoint(dataset.names)

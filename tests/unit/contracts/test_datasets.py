"""What must hold for every declared dataset."""

import pytest

from concord.contracts.derived import RAW_DEAD_LETTERS, SPEED_BOOKKEEPING, STAGING, WAREHOUSE_BOOKKEEPING
from concord.contracts.events import ENVELOPE, EVENT_TYPES, EVENTS, EVENTS_LANDING, IDENTITY, RAW_EVENTS, EventType
from concord.contracts.lake_metrics import JOB_RUNS, LAKE_METRICS
from concord.contracts.marts import MARTS
from concord.contracts.model import Column, Dataset
from concord.contracts.tables import POSITION_KEY, TABLES, as_change, as_mirror, as_raw
from concord.contracts.types import BIGINT, TEXT, Decimal

BOOKS = [*STAGING.values(), *MARTS.values(), *SPEED_BOOKKEEPING.values(), *WAREHOUSE_BOOKKEEPING.values()]
LAKE = [*LAKE_METRICS.values(), JOB_RUNS]
STAGES = [stage(table) for table in TABLES.values() for stage in (as_change, as_raw, as_mirror)]
LOADED = [EVENTS, EVENTS_LANDING, RAW_EVENTS, RAW_DEAD_LETTERS]
DATASETS = [*TABLES.values(), *STAGES, *EVENT_TYPES.values(), *LOADED, *BOOKS, *LAKE]


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
def test_no_key_column_may_be_null(dataset: Dataset) -> None:
    assert not [name for name in dataset.key if dataset[name].nullable]


@pytest.mark.parametrize("dataset", LAKE_METRICS.values(), ids=lambda dataset: dataset.name)
def test_metrics_of_the_lake_hold_nothing_personal_and_say_which_run_wrote_them(dataset: Dataset) -> None:
    assert not [column.name for column in dataset.columns if column.personal]
    assert dataset.names[-3:] == ("as_of", "loaded_at", "batch_id")


@pytest.mark.parametrize("dataset", [*TABLES.values(), *STAGES], ids=lambda dataset: dataset.name)
def test_references_name_the_key_of_a_declared_table(dataset: Dataset) -> None:
    for column in dataset.columns:
        if column.references:
            table, key = column.references.split(".")
            assert TABLES[table].key == (key,)


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
def test_one_column_name_has_one_type_wherever_money_is_meant(dataset: Dataset) -> None:
    money = {"price", "cost", "unit_price", "total_amount", "cart_value"}
    assert {column.type for column in dataset.columns if column.name in money} <= {Decimal(10, 2)}


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_change_log_is_keyed_by_position_and_needs_no_value_but_the_key(table: Dataset) -> None:
    change = as_change(table)
    assert change.key == POSITION_KEY
    assert {name for name in table.names if not change[name].nullable} == set(table.key)


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_raw_is_the_change_log_with_the_load_behind_it(table: Dataset) -> None:
    change, raw = as_change(table), as_raw(table)
    assert raw.columns[: len(change.columns)] == change.columns
    assert raw.names[len(change.names) :] == ("loaded_at", "batch_id", "file_name")


@pytest.mark.parametrize("event_type", EventType)
def test_every_event_type_begins_with_the_envelope_and_is_stored_whole(event_type: EventType) -> None:
    contract = EVENT_TYPES[event_type]
    assert contract.columns[: len(ENVELOPE)] == ENVELOPE
    assert set(contract.names) <= set(EVENTS.names)
    assert set(IDENTITY) <= set(contract.names)


def test_payload_column_of_one_name_has_one_type() -> None:
    for contract in EVENT_TYPES.values():
        for column in contract.columns:
            assert EVENTS[column.name].type == column.type


def test_dataset_refuses_a_repeated_column() -> None:
    with pytest.raises(ValueError, match=r"repeated columns \{.id.\}"):
        Dataset("odd", (Column("id", BIGINT), Column("id", TEXT)), key=("id",))


def test_dataset_refuses_a_key_it_does_not_have() -> None:
    with pytest.raises(ValueError, match=r"unknown columns \{.number.\}"):
        Dataset("odd", (Column("id", BIGINT),), key=("number",))

"""Nobody forgets to classify a column that is about a person."""

import re

import pytest

from concord.contracts.audit import AUDIT
from concord.contracts.behaviour import BEHAVIOUR
from concord.contracts.derived import SPEED_BOOKKEEPING, STAGING, WAREHOUSE_BOOKKEEPING
from concord.contracts.enrichment import ENRICHMENT_TABLES
from concord.contracts.events import EVENT_CONTRACTS, EVENTS, EVENTS_LANDING, RAW_EVENTS
from concord.contracts.expectations import QUALITY
from concord.contracts.funnels import INTERMEDIATE
from concord.contracts.marts import MARTS
from concord.contracts.personal import SHOWN, Personal
from concord.contracts.tables import TABLES, as_change, as_mirror, as_raw
from concord.contracts.types import Boolean
from concord.dialects.clickhouse import TABLE_DATASETS
from concord.dialects.iceberg import LAKE_DATASETS
from concord.dialects.snowflake import TABLES_BY_SCHEMA

DATASETS = (
    *(
        TABLES | EVENT_CONTRACTS | STAGING | INTERMEDIATE | MARTS | BEHAVIOUR | SPEED_BOOKKEEPING | QUALITY | AUDIT
    ).values(),
    *(WAREHOUSE_BOOKKEEPING | ENRICHMENT_TABLES).values(),
    *(make(table) for table in TABLES.values() for make in (as_change, as_raw, as_mirror)),
    *(EVENTS, RAW_EVENTS, EVENTS_LANDING, *TABLE_DATASETS, *LAKE_DATASETS),
    *(dataset for datasets in TABLES_BY_SCHEMA.values() for dataset in datasets),
)
LIKE_A_PERSONS = re.compile(
    r"(^|_)(e?mail|name|surname|address|street|city|postcode|zip|phone|birth\w*|gender|ip|user_agent|anonymous_id|"
    r"device_id|owner|search_query|page_url|referrer|properties|original)(_|$)"
)
NOT_A_PERSONS = {
    "name": "an article's or a file's",
    "product_name": "an article's",
    "file_name": "a file of the lake",
}
"""Columns that are called so and are not about anybody."""


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
def test_a_column_named_like_a_persons_is_classified(dataset) -> None:
    unclassified = {
        column.name
        for column in dataset.columns
        if LIKE_A_PERSONS.search(column.name) and not column.personal and not isinstance(column.type, Boolean)
    }
    assert unclassified <= NOT_A_PERSONS.keys()


def test_no_exception_is_made_for_nothing() -> None:
    names = {column.name for dataset in DATASETS for column in dataset.columns}
    assert NOT_A_PERSONS.keys() <= names


def test_every_kind_says_what_others_see() -> None:
    assert SHOWN.keys() == set(Personal)

"""What is rendered, before it meets a disk."""

import json
import re

import pytest
import yaml

from concord.contracts.events import EventType, schema_path
from concord.contracts.tables import TABLES
from concord.dialects.clickhouse import TABLE_DATASETS
from concord.render.files import rendered_files
from concord.render.notice import NOTICE

FILES = rendered_files()


@pytest.mark.parametrize("path", [path for path in FILES if not path.endswith(".csv")])
def test_file_says_first_that_it_is_generated(path: str) -> None:
    assert NOTICE in "\n".join(FILES[path].splitlines()[:2])


def test_rendering_again_gives_the_same_text() -> None:
    assert rendered_files() == FILES


def test_every_table_view_and_event_type_has_its_file() -> None:
    tables = {f"engines/clickhouse/10_{dataset.name}.sql" for dataset in TABLE_DATASETS}
    views = {f"engines/clickhouse/20_{name}_realtime.sql" for name in TABLES}
    assert tables | views | {schema_path(event_type) for event_type in EventType} <= FILES.keys()


def test_clickhouse_gets_one_statement_a_file() -> None:
    for path, text in FILES.items():
        if path.startswith("engines/clickhouse/"):
            assert text.count(";") == 1, path


def test_semicolons_only_end_statements_where_a_file_is_split_at_them() -> None:
    for path, text in FILES.items():
        if path.endswith(".sql") and "postgres" not in path:
            assert re.findall(r";(?!\n)", text) == [], path


def test_documents_can_be_read_back() -> None:
    for path, text in FILES.items():
        if path.endswith(".json"):
            assert json.loads(text)["$schema"], path
        if path.endswith(".yml"):
            assert yaml.safe_load(text)["version"] == 2, path

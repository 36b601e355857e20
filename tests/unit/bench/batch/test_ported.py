"""Models in Snowflake's SQL as a project of dbt-duckdb, which builds and tests it."""

import json
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import yaml

from concord.batch.build import judge
from concord.bench.batch import ported
from concord.bench.batch.dbt_command import dbt_command
from concord.bench.batch.files import ChangeFiles
from concord.bench.batch.own_process import Spent, apart
from concord.contracts.events import RAW_EVENTS
from concord.contracts.tables import USERS, as_change, as_raw
from concord.dialects.arrow import arrow_schema
from concord.errors import Unavailable
from tests.factories import change_row

USERS_IN_RAW = as_raw(USERS)


def files(folder: Path) -> ChangeFiles:
    """Two users, one of them without a name that counts."""
    changes = as_change(USERS)
    rows = [{**change_row(USERS, id=number, first_name=name), "_offset": number} for number, name in NAMES.items()]
    schema = pa.schema([field.with_nullable(True) for field in arrow_schema(changes)])
    made = ChangeFiles(folder / "changes")
    made.add("history", USERS.name, pa.Table.from_pylist(rows, schema=schema))
    return made


NAMES = {1: "Ann", 2: "  "}


def node(kind: str, name: str, code: str = "", **config: Any) -> dict[str, Any]:
    place = {"database": "DW", "schema": "STAGING_SHADOW", "name": name, "alias": name.removeprefix("stg_")}
    more = {"schema": "STAGING", **config}
    path = f"seeds/{name}.csv"
    return {**place, "resource_type": kind, "compiled_code": code, "original_file_path": path, "config": more}


MANIFEST: dict[str, Any] = {
    "nodes": {
        "kinds": node("seed", "kinds", column_types={"kind": "string", "share": "number(10,2)"}),
        "users": node(
            "model",
            "stg_users",
            "-- Grain: one row per user.\n"
            "select users.id, kinds.share, iff(trim(users.first_name) <> '', 1, 0)::number(38, 0) as is_named,\n"
            "    regexp_substr(users.first_name, '[a-z]+') as letters,\n"
            "    datediff(day, users.created_at, to_date('2030-01-01')) > 0 as is_old\n"
            "from DW.RAW.users as users inner join DW.STAGING_SHADOW.kinds as kinds on kinds.kind = 'all'",
        ),
        "named": node(
            "test",
            "everybody_is_named",
            "select * from DW.STAGING_SHADOW.users where is_named = 0",
            severity="warn",
            fail_calc="count(*)",
            warn_if="!= 0",
            error_if="!= 0",
        ),
    },
    "sources": {
        "users": {"database": "DW", "schema": "RAW", "identifier": "users", "name": "users", "source_name": "raw"}
    },
}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Spent]:
    """The folder in which dbt-duckdb has built the manifest's models."""
    folder = tmp_path_factory.mktemp("dbt-duckdb")
    (folder / "original" / "seeds").mkdir(parents=True)
    (folder / "original" / "seeds" / "kinds.csv").write_text("kind,share\nall,0.5\n")
    ported.Profile(folder / "dbt.duckdb", "1GB").write(folder)
    ported.write(MANIFEST, folder / "original", folder / "project", files(folder).paths)
    return folder, apart("dbt build", dbt_command, "build", folder / "project", folder)


def test_dbt_builds_the_models_and_seeds_and_tests_them(ran: tuple[Path, Spent]) -> None:
    results = json.loads((ran[0] / "project" / "target" / "run_results.json").read_text())["results"]
    built = judge(results)
    assert built.models == 2
    assert built.warnings == ("everybody_is_named (1 rows)",)


def test_rows_are_those_of_the_files_and_tables_have_their_names(ran: tuple[Path, Spent]) -> None:
    with duckdb.connect(str(ran[0] / "dbt.duckdb")) as duck:
        rows = duck.execute("select id, share, is_named, letters, is_old from STAGING.users order by id").fetchall()
    assert rows == [(1, pytest.approx(0.5), 1, "nn", True), (2, pytest.approx(0.5), 0, None, True)]


def test_what_it_takes_is_that_of_dbts_own_process(ran: tuple[Path, Spent]) -> None:
    assert ran[1].seconds > 0
    assert ran[1].cpu_seconds > 0
    assert ran[1].peak_bytes > 10_000_000


def test_work_that_breaks_off_is_no_figure(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="broken ended without an answer"):
        apart("broken", (tmp_path / "not there").unlink)


def test_tables_are_named_by_dbts_calls_and_those_of_a_query_stay() -> None:
    sql = "with orders as (select * from DW.STAGING_SHADOW.base_orders) select * from orders"
    told = ported.translated(sql, {"DW.STAGING_SHADOW.base_orders": "{{ ref('base_orders') }}"})
    assert " ".join(told.split()) == "WITH orders AS ( SELECT * FROM {{ ref('base_orders') }} ) SELECT * FROM orders"


def test_a_source_has_the_columns_of_raw_and_no_row_without_a_file(tmp_path: Path) -> None:
    paths = files(tmp_path).paths
    with duckdb.connect() as duck:
        duck.execute("set TimeZone = 'UTC'")
        described = {name: kind for name, kind, *_ in duck.execute(described_of(USERS_IN_RAW, paths)).fetchall()}
        counts = [duck.execute(f"select count(*) from {ported.external(each, paths)}").fetchone() for each in SOURCES]
    assert list(described) == list(USERS_IN_RAW.names)
    assert described["id"] == "DECIMAL(38,0)"
    assert described["created_at"] == "TIMESTAMP"
    assert counts == [(2,), (0,)]


SOURCES = (USERS_IN_RAW, RAW_EVENTS)


def described_of(dataset: Any, paths: Any) -> str:
    return f"describe from {ported.external(dataset, paths)}"


def test_a_model_nobody_has_heard_of_is_written_like_the_others(tmp_path: Path) -> None:
    more = {**MANIFEST, "nodes": {"mart_new": node("model", "mart_new", "select 1 as id", schema="MARTS")}}
    ported.write(more, tmp_path, tmp_path / "project", {})
    text = (tmp_path / "project" / "models" / "mart_new.sql").read_text()
    assert text.startswith("{{ config(materialized='table', schema='MARTS', alias='mart_new') }}")
    assert yaml.safe_load((tmp_path / "project" / "models" / "sources.yml").read_text())["sources"][0]["name"] == "raw"

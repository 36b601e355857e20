"""The dbt project as somebody has it who keeps its models and takes DuckDB: written anew for dbt-duckdb.

The models are written in Snowflake's SQL. dbt compiles them as a full build, sqlglot translates each statement, and
what they refer to is dbt's again: ``ref``, ``source``, seeds and tests. Nothing here knows a model by name.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from sqlglot import exp, parse_one

from concord.bench.batch.files import Paths, reading
from concord.contracts.model import Column, Dataset
from concord.contracts.tables import LOAD_METADATA
from concord.dialects.snowflake import TABLES_BY_SCHEMA, type_name

NAME = "concord"
"""Of project and profile; the profile also compiles the project as it is."""
SOURCES = {dataset.name: dataset for dataset in TABLES_BY_SCHEMA["RAW"]}
SCHEMA_NAME = (
    "{% macro generate_schema_name(custom_schema_name, node) -%}"
    " {{ custom_schema_name or target.schema }} {%- endmacro %}\n"
)
"""Without it dbt would put the target's schema before a model's own."""
VERDICT = ("severity", "fail_calc", "warn_if", "error_if")
"""What of a test's configuration decides whether it fails."""

Node = Mapping[str, Any]


@dataclass(frozen=True)
class Profile:
    """How dbt-duckdb reaches its one file."""

    file: Path
    memory_limit: str
    threads: int = 2

    def write(self, folder: Path) -> None:
        settings = {"memory_limit": self.memory_limit, "TimeZone": "UTC", "preserve_insertion_order": False}
        output = {"type": "duckdb", "path": str(self.file), "threads": self.threads, "settings": settings}
        _write(folder / "profiles.yml", {NAME: {"target": "duckdb", "outputs": {"duckdb": output}}})


def write(manifest: Mapping[str, Any], original: Path, project: Path, paths: Paths) -> None:
    """A project that builds every model of the manifest from files of changes, and tests it."""
    shutil.rmtree(project, ignore_errors=True)
    nodes, sources = manifest["nodes"].values(), manifest["sources"].values()
    calls = {**{_place(node): _ref(node) for node in nodes}, **{_place(each): _source(each) for each in sources}}
    _write(project / "dbt_project.yml", {"name": NAME, "profile": NAME, "flags": {"send_anonymous_usage_stats": False}})
    _write(project / "models" / "sources.yml", {"sources": [_sources(paths)]})
    _write(
        project / "seeds" / "seeds.yml", {"seeds": [_seed(node) for node in nodes if node["resource_type"] == "seed"]}
    )
    (project / "macros").mkdir()
    (project / "macros" / "generate_schema_name.sql").write_text(SCHEMA_NAME)
    (project / "tests").mkdir()
    for node in nodes:
        match node["resource_type"]:
            case "seed":
                shutil.copy(original / node["original_file_path"], project / "seeds")
            case "model":
                (project / "models" / f"{node['name']}.sql").write_text(_model(node, calls))
            case "test":
                (project / "tests" / f"{node['name']}.sql").write_text(_test(node, calls))


def translated(sql: str, calls: Mapping[str, str]) -> str:
    """A statement of Snowflake as DuckDB has it, its tables named by the calls that dbt resolves."""
    statement = parse_one(sql, dialect="snowflake")
    for table in list(statement.find_all(exp.Table)):
        if call := calls.get(".".join(part.name for part in table.parts)):
            table.set("this", exp.to_identifier(call, quoted=False))
            table.set("db", None)
            table.set("catalog", None)
    for found in list(statement.find_all(exp.RegexpExtract)):
        # where nothing matches, Snowflake says null and DuckDB an empty text
        found.replace(exp.Nullif(this=found.copy(), expression=exp.Literal.string("")))
    return statement.sql(dialect="duckdb", pretty=True, comments=False)


def external(dataset: Dataset, paths: Paths) -> str:
    """The files with the names and types that RAW has; no row where there is none."""
    files = paths.get(dataset.name, ())
    columns = ", ".join(_column(column, files) for column in dataset.columns)
    return f"(select {columns} from {reading(files)})" if files else f"(select {columns} where false)"


def _model(node: Node, calls: Mapping[str, str]) -> str:
    config = {"materialized": "table", "schema": node["config"]["schema"], "alias": node["alias"]}
    return _file(config, node, calls)


def _test(node: Node, calls: Mapping[str, str]) -> str:
    return _file({key: node["config"][key] for key in VERDICT}, node, calls)


def _file(config: Mapping[str, str], node: Node, calls: Mapping[str, str]) -> str:
    given = ", ".join(f"{key}={value!r}" for key, value in config.items())
    return f"{{{{ config({given}) }}}}\n\n{translated(node['compiled_code'], calls)}\n"


def _seed(node: Node) -> Node:
    types = {column: as_duckdb(kind) for column, kind in node["config"]["column_types"].items()}
    return {"name": node["name"], "config": {"schema": node["config"]["schema"], "column_types": types}}


def _sources(paths: Paths) -> Node:
    tables = [
        {"name": name, "meta": {"external_location": external(dataset, paths)}} for name, dataset in SOURCES.items()
    ]
    return {"name": "raw", "schema": "RAW", "tables": tables}


def as_duckdb(kind: str) -> str:
    """A type of Snowflake by DuckDB's name."""
    return exp.DataType.build(kind, dialect="snowflake").sql(dialect="duckdb")


def _column(column: Column, files: Sequence[Path]) -> str:
    is_there = files and column not in LOAD_METADATA
    return f"{column.name if is_there else 'null'}::{as_duckdb(type_name(column.type))} as {column.name}"


def _place(node: Node) -> str:
    return ".".join((node["database"], node["schema"], node.get("identifier") or node["alias"]))


def _ref(node: Node) -> str:
    return f"{{{{ ref('{node['name']}') }}}}"


def _source(source: Node) -> str:
    return f"{{{{ source('{source['source_name']}', '{source['name']}') }}}}"


def _write(file: Path, document: Node) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(document, sort_keys=False))

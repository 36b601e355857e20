"""Every generated file of the repository, from the contracts: path → text, always the same text."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from concord.contracts.events import EventType, schema_path
from concord.contracts.tables import TABLES
from concord.dialects import clickhouse, dbt, json_schema, postgres, snowflake
from concord.dialects.snowflake import account
from concord.render.notice import NOTICE
from concord.render.personal import personal_data
from concord.render.seeds import seed
from concord.rules.bands import SEEDS
from concord.rules.data_quality import EMAIL
from concord.rules.traffic import CLICK_IDS, HOSTS, MEDIA, NAMES


def rendered_files() -> dict[str, str]:
    """Relative path → text of every generated file."""
    return dict(_all_files())


def _all_files() -> Iterator[tuple[str, str]]:
    yield "engines/postgres/10_tables.sql", _sql(*postgres.create_all())
    yield from _clickhouse_files()
    yield from _snowflake_files()
    yield from _dbt_files()
    yield "docs/personal-data.md", personal_data()
    for event_type in EventType:
        yield schema_path(event_type), _json(json_schema.event_schema(event_type))


def _clickhouse_files() -> Iterator[tuple[str, str]]:
    """One statement each: the HTTP interface takes no more."""
    folder = "engines/clickhouse"
    yield f"{folder}/00_database.sql", _sql(clickhouse.create_database())
    for dataset in clickhouse.TABLE_DATASETS:
        yield f"{folder}/10_{dataset.name}.sql", _sql(clickhouse.create_table(dataset))
    for table in TABLES.values():
        yield f"{folder}/20_{clickhouse.view_name(table)}.sql", _sql(clickhouse.realtime_view(table))


def _snowflake_files() -> Iterator[tuple[str, str]]:
    """The folder ``account`` is an administrator's; the rest any server needs before data flows."""
    folder = "engines/snowflake"
    yield f"{folder}/00_database.sql", _sql(*snowflake.create_database())
    yield f"{folder}/10_raw.sql", _sql(*snowflake.create_schemas(), *snowflake.create_raw())
    yield f"{folder}/15_published.sql", _sql(*snowflake.create_published())
    yield f"{folder}/20_quality.sql", _sql(*snowflake.create_quality())
    yield f"{folder}/30_audit.sql", _sql(*snowflake.create_audit())
    yield f"{folder}/account/10_roles_and_warehouses.sql", _sql(*account.roles_and_warehouses())
    yield f"{folder}/account/20_grants.sql", _sql(*account.grants())
    yield f"{folder}/account/30_personal_data.sql", _sql(*account.protection())


def _dbt_files() -> Iterator[tuple[str, str]]:
    """What the contracts and rules say; the models themselves are written by hand."""
    models = "dbt_project/models"
    yield f"{models}/staging/_staging__sources.yml", _yaml(dbt.sources())
    yield f"{models}/staging/base/_base__models.yml", _yaml(dbt.base_models())
    yield f"{models}/staging/_staging__models.yml", _yaml(dbt.staging_models())
    yield f"{models}/intermediate/_sessions__models.yml", _yaml(dbt.intermediate_models())
    yield f"{models}/marts/_marts__models.yml", _yaml(dbt.mart_models())
    for bands in SEEDS:
        yield f"dbt_project/seeds/{bands.name}.csv", seed(bands)
    yield "dbt_project/macros/data_quality/is_valid_email.sql", _macro(dbt.email_macro(EMAIL))
    traffic = dbt.traffic_macro(CLICK_IDS, MEDIA.items(), NAMES.items(), HOSTS.items())
    yield "dbt_project/macros/business_logic/traffic_source.sql", _macro(traffic)


def _sql(*statements: str) -> str:
    return f"-- {NOTICE}\n\n" + "\n\n".join(f"{statement};" for statement in statements) + "\n"


def _macro(text: str) -> str:
    return f"{{# {NOTICE} #}}\n{text}"


def _yaml(document: Mapping[str, Any]) -> str:
    return f"# {NOTICE}\n" + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps({"$comment": NOTICE, **document}, indent=2, ensure_ascii=False) + "\n"


def stale_files(root: Path) -> list[str]:
    """Generated files under ``root`` that are missing or not what the contracts say."""
    return [path for path, text in rendered_files().items() if _read(root / path) != text]


def write_files(root: Path) -> list[str]:
    """Bring every generated file up to date; the paths that changed."""
    stale = stale_files(root)
    for path in stale:
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(rendered_files()[path], encoding="utf-8")
    return stale


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None

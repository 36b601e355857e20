"""The dbt project is written by hand; what it repeats of the contracts and rules must be the same."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from concord.batch.build import variables
from concord.contracts.derived import MARTS, STAGING
from concord.contracts.model import Dataset
from concord.contracts.names import cdc_topic
from concord.contracts.position import Position
from concord.contracts.tables import TABLES, TOAST_PLACEHOLDER, OrderStatus
from concord.dialects.snowflake import type_name
from concord.rules.orders import COMPLETED, REVENUE
from concord.settings import PROJECT, child_environment
from tests.factories import EPOCH

DBT = PROJECT / "dbt_project"
MODELS = {
    **{f"stg_{name}": dataset for name, dataset in STAGING.items()},
    **{f"mart_{name}": dataset for name, dataset in MARTS.items()},
}


def read(path: str) -> Any:
    return yaml.safe_load((DBT / path).read_text())


def described() -> dict[str, Any]:
    paths = ("models/staging/_staging__models.yml", "models/marts/_marts__models.yml")
    return {model["name"]: model for path in paths for model in read(path)["models"]}


def base_model(table: Dataset) -> str:
    return (DBT / f"models/staging/base/base_{table.name}.sql").read_text()


def words(text: str) -> list[str]:
    return re.findall(r"'([^']*)'", text)


@pytest.mark.parametrize("name", MODELS)
def test_model_has_the_contracts_columns_in_order_with_their_types(name: str) -> None:
    declared = [(c.name, _spelled(type_name(c.type)), not c.nullable) for c in MODELS[name].columns]
    written = [
        (column["name"], _spelled(column["data_type"]), {"type": "not_null"} in column.get("constraints", []))
        for column in described()[name]["columns"]
    ]
    assert written == declared


@pytest.mark.parametrize("name", MODELS)
def test_model_and_every_column_are_documented(name: str) -> None:
    model = described()[name]
    assert model["description"]
    assert [column["name"] for column in model["columns"] if not column.get("description")] == []


@pytest.mark.parametrize("name", MODELS)
def test_model_is_published_under_the_contracts_name(name: str) -> None:
    folder = "marts" if name.startswith("mart_") else "staging"
    assert f"alias='{MODELS[name].name}'" in (DBT / f"models/{folder}/{name}.sql").read_text()


@pytest.mark.parametrize("name", MODELS)
def test_models_contract_is_enforced(name: str) -> None:
    assert described()[name]["config"]["contract"] == {"enforced": True}


@pytest.mark.parametrize("name", MODELS)
def test_personal_columns_are_tagged(name: str) -> None:
    tagged = {
        column["name"] for column in described()[name]["columns"] if "pii" in column.get("config", {}).get("tags", [])
    }
    assert tagged == {column.name for column in MODELS[name].columns if column.pii}


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_base_model_takes_every_column_and_fills_every_toastable_one(table: Dataset) -> None:
    columns, _, toastable = base_model(table).partition("toastable")
    assert words(columns) == [table.name, *table.names]
    assert tuple(words(toastable)) == table.toastable


def test_placeholder_is_the_contracts() -> None:
    macro = (DBT / "macros/position/state_at_position.sql").read_text()
    assert f"-%}} {TOAST_PLACEHOLDER} {{%-" in macro


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_position_is_looked_up_by_the_topics_name(table: Dataset) -> None:
    prefix = re.search(r"set topic = '([^']+)' ~ table", (DBT / "macros/position/held.sql").read_text())
    assert prefix
    assert prefix[1] + table.name == cdc_topic(table)


def test_statuses_are_those_of_the_rules() -> None:
    declared = read("dbt_project.yml")["vars"]
    assert set(declared["statuses"]) == set(OrderStatus)
    assert set(declared["completed_statuses"]) == COMPLETED
    assert {declared["cancelled_status"]} == set(OrderStatus) - REVENUE


def test_tier_shares_leave_sixty_percent_bronze() -> None:
    assert read("dbt_project.yml")["vars"]["tier_shares"] == {"platinum": 3, "gold": 12, "silver": 25}


def test_profile_holds_no_address_and_no_secret() -> None:
    output = read("profiles.yml")["concord"]["outputs"]["warehouse"]
    from_environment = ("account", "host", "port", "protocol", "user", "password", "database", "warehouse", "role")
    assert all("env_var(" in output[key] for key in from_environment)


def test_models_know_no_current_time() -> None:
    texts = {
        path: path.read_text().lower()
        for folder in ("models", "macros", "tests")
        for path in (DBT / folder).rglob("*.sql")
    }
    forbidden = ("current_timestamp", "current_date", "sysdate", "getdate")
    assert [str(path) for path, text in texts.items() if any(word in text for word in forbidden)] == []


def test_project_parses(tmp_path: Path) -> None:
    names = ("ACCOUNT", "HOST", "PROTOCOL", "USER", "DATABASE", "WAREHOUSE", "ROLE")
    environment = child_environment(
        **{f"CONCORD_DBT_{name}": "unused" for name in names},
        CONCORD_DBT_PORT="1",
        DBT_ENV_SECRET_CONCORD_PASSWORD="not used at all",
    )
    folders = [
        "--project-dir",
        str(DBT),
        "--profiles-dir",
        str(DBT),
        "--target-path",
        str(tmp_path),
        "--log-path",
        str(tmp_path),
    ]
    parse = ["parse", "--no-version-check", "--warn-error", "--vars", variables(EPOCH, Position())]
    done = subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", *parse, *folders], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-2000:]


def _spelled(name: str) -> str:
    return name.lower().replace(" ", "")

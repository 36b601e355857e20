"""The dbt project is written by hand; what it repeats of the contracts and rules must be the same."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from concord.contracts.behaviour import GUEST, LATENESS_SECONDS
from concord.contracts.derived import STAGING
from concord.contracts.funnels import INTERMEDIATE
from concord.contracts.histories import PRODUCT_HISTORY, USER_HISTORY, tracked
from concord.contracts.marts import MARTS, stamp
from concord.contracts.model import Dataset
from concord.contracts.names import EVENTS_TOPIC, cdc_topic
from concord.contracts.tables import PRODUCTS, TABLES, TOAST_PLACEHOLDER, USERS, OrderStatus
from concord.rules import customers
from concord.rules.bands import CUSTOMER_TIERS, ORDER_SIZES, PRICE_TIERS
from concord.rules.orders import COMPLETED, REVENUE
from concord.rules.sessions import COUNT_OF, INACTIVITY_MS
from concord.settings import PROJECT, child_environment

DBT = PROJECT / "dbt_project"
MODELS = {
    **{f"stg_{name}": dataset for name, dataset in STAGING.items()},
    **{f"int_{name}": dataset for name, dataset in INTERMEDIATE.items()},
    **{f"mart_{name}": dataset for name, dataset in MARTS.items()},
}
HISTORY_OF = ((USERS, USER_HISTORY), (PRODUCTS, PRODUCT_HISTORY))


def read(path: str) -> Any:
    return yaml.safe_load((DBT / path).read_text())


def described() -> dict[str, Any]:
    """Every model by name, from every file that describes some."""
    paths = (DBT / "models").rglob("_*__models.yml")
    return {model["name"]: model for path in paths for model in yaml.safe_load(path.read_text())["models"]}


def models() -> dict[str, str]:
    """The text of every model by name."""
    return {path.stem: path.read_text() for path in (DBT / "models").rglob("*.sql")}


def base_model(table: Dataset) -> str:
    return (DBT / f"models/staging/base/base_{table.name}.sql").read_text()


def last_select(text: str) -> list[str] | None:
    """Names of the columns of the last select, None where a macro writes it or it is a union."""
    body = re.sub(r"--[^\n]*", "", text)
    body = re.sub(r"\{\{ (?:as_of|config)\(.*?\) \}\}", "''", body, flags=re.DOTALL)
    select = re.split(r"^select\b", body, flags=re.MULTILINE)[-1]
    if "union" in body.rpartition(")\n\n")[2] or select == body:
        return None
    listed = re.split(r"^from\b", select, flags=re.MULTILINE)[0]
    return [re.split(r"[\s.]+", part.strip())[-1] for part in _split_outside_brackets(listed)]


def _split_outside_brackets(text: str) -> list[str]:
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def words(text: str) -> list[str]:
    return re.findall(r"'([^']*)'", text)


def test_every_model_and_every_column_is_documented() -> None:
    documented = described()
    assert sorted(documented) == sorted(models())
    assert [name for name, model in documented.items() if not model.get("description")] == []
    columns = [(name, column) for name, model in documented.items() for column in model["columns"]]
    assert [(name, column["name"]) for name, column in columns if not column.get("description")] == []


@pytest.mark.parametrize("name", sorted(models()))
def test_described_columns_are_those_of_the_select(name: str) -> None:
    """As far as the text of a model tells them: what it selects last, line by line."""
    written = last_select(models()[name])
    if written is not None:
        assert [column["name"] for column in described()[name]["columns"]] == written


@pytest.mark.parametrize("name", sorted(models()))
def test_model_declares_its_key_and_how_much_of_it_a_batch_rebuilds(name: str) -> None:
    text = models()[name]
    if "/changes/" in str(next((DBT / "models").rglob(f"{name}.sql"))):
        assert text.startswith("-- Grain:")
        return
    assert "unique_key=" in text
    dirty = re.search(r"'dirty': '(\w+)'", text)
    assert bool(dirty) != ("-- Scope: all" in text), "either a dirty set, or why all rows"
    if dirty:
        assert f"only_dirty(ref('{dirty[1]}')" in text or f"ref('{dirty[1]}')" in text


@pytest.mark.parametrize("name", MODELS)
def test_published_model_notes_changed_keys_and_keeps_stamps_out_of_comparisons(name: str) -> None:
    text = models()[name]
    assert "'is_published': true" in text
    assert f"'stamp': '{stamp(MODELS[name])}'" in text
    keys = re.search(r"unique_key=(\[[^]]*\]|'\w+')", text)
    assert keys
    assert tuple(words(keys[1])) == MODELS[name].key


@pytest.mark.parametrize("name", MODELS)
def test_model_is_published_under_the_contracts_name(name: str) -> None:
    folder = {"stg": "staging", "int": "intermediate", "mart": "marts"}[name.partition("_")[0]]
    assert f"alias='{MODELS[name].name}'" in (DBT / f"models/{folder}/{name}.sql").read_text()


@pytest.mark.parametrize("name", MODELS)
def test_models_contract_is_enforced(name: str) -> None:
    assert described()[name]["config"]["contract"] == {"enforced": True}


@pytest.mark.parametrize("dataset", MARTS.values(), ids=lambda dataset: dataset.name)
def test_every_rate_is_tested_to_be_a_share(dataset: Dataset) -> None:
    """Growth alone may be below 0 or above 1."""
    rates = [name for name in dataset.names if name.endswith("_rate") and name != "revenue_growth_rate"]
    tests = described()[f"mart_{dataset.name}"].get("data_tests", [])
    bounds = [bound for test in tests if "in_range" in test for bound in test["in_range"]["arguments"]["bounds"]]
    assert {*bounds} >= {f"{name} between 0 and 1" for name in rates}


@pytest.mark.parametrize("name", MODELS)
def test_personal_columns_are_tagged(name: str) -> None:
    tagged = {
        column["name"] for column in described()[name]["columns"] if "pii" in column.get("config", {}).get("tags", [])
    }
    assert tagged == {column.name for column in MODELS[name].columns if column.personal}


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_base_model_takes_every_column_and_fills_every_toastable_one(table: Dataset) -> None:
    select = base_model(table).partition("state_at_position")[2]
    columns, _, toastable = select.partition("toastable")
    assert words(columns) == [table.name, *table.names, f"changed_{table.name}"]
    assert tuple(words(toastable)) == table.toastable


@pytest.mark.parametrize(("table", "history"), HISTORY_OF, ids=lambda dataset: dataset.name)
def test_history_tracks_what_its_contract_does_and_is_held_against_the_state(table: Dataset, history: Dataset) -> None:
    text = (DBT / f"models/marts/mart_{history.name}.sql").read_text().partition("history_at_position")[2]
    columns, _, toastable = text.partition("toastable=")
    assert words(columns.partition("]")[0]) == [table.name, *tracked(history)]
    assert words(toastable) == [name for name in tracked(history) if name in table.toastable]
    state = (DBT / "tests/singular/history_ends_in_the_current_state.sql").read_text()
    (line,) = (line for line in state.splitlines() if f"'mart_{history.name}'" in line)
    assert words(line) == [f"mart_{history.name}", history.key[0], f"base_{table.name}", *tracked(history)]


def test_placeholder_is_the_contracts() -> None:
    macro = (DBT / "macros/position/state_at_position.sql").read_text()
    assert f"-%}} {TOAST_PLACEHOLDER} {{%-" in macro


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_position_is_looked_up_by_the_topics_name(table: Dataset) -> None:
    names = words((DBT / "macros/position/held.sql").read_text().partition("macro topic_of")[2])
    assert names[:3] == [EVENTS_TOPIC, "events", cdc_topic(table).removesuffix(table.name)]


def test_statuses_are_those_of_the_rules() -> None:
    declared = read("dbt_project.yml")["vars"]
    assert set(declared["statuses"]) == set(OrderStatus)
    assert set(declared["completed_statuses"]) == COMPLETED
    assert {declared["cancelled_status"]} == set(OrderStatus) - REVENUE


def test_thresholds_are_those_of_the_rules() -> None:
    declared = read("dbt_project.yml")["vars"]
    rules = [
        "POPULAR_SHARE",
        "TOP_PERFORMER_SHARE",
        "ACTIVE_DAYS",
        "AT_RISK_DAYS",
        "LTV_DAYS",
        "LTV_MINIMUM_DAYS",
        "DEMAND_DAYS",
        "MAX_BASKET",
        "MIN_ORDERS_TOGETHER",
        "RECOMMENDATIONS",
    ]
    assert {name.lower(): declared[name.lower()] for name in rules} == {
        name.lower(): getattr(customers, name) for name in rules
    }
    assert declared["lowest_tier"] == CUSTOMER_TIERS.lowest


def test_what_a_session_is_says_the_rule() -> None:
    declared = read("dbt_project.yml")["vars"]
    assert declared["session_pause_ms"] == INACTIVITY_MS
    assert declared["lateness_ms"] == LATENESS_SECONDS * 1000
    assert declared["session_counts"] == {column: str(event_type) for event_type, column in COUNT_OF.items()}
    assert declared["guest"] == GUEST


def test_bands_have_the_names_of_the_contracts() -> None:
    for bands, column in (
        (CUSTOMER_TIERS, STAGING["users_enhanced"]["customer_tier"]),
        (PRICE_TIERS, STAGING["products_enhanced"]["price_tier"]),
        (ORDER_SIZES, STAGING["orders_enhanced"]["order_size_category"]),
    ):
        assert {band.name for band in bands} == set(column.type.values)  # type: ignore[attr-defined]


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
    parse = ["parse", "--no-version-check", "--warn-error"]
    done = subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", *parse, *folders], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-2000:]

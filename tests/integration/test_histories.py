"""Histories of users and products, batch by batch: equal to a replay of the change log, no more rebuilt than changed, and
after an erasure what a build from the erased log gives. A warehouse of its own; no Kafka and no Spark."""

import random
from collections.abc import Iterator
from typing import Any

import pytest

from concord.batch.models import SHADOW_SUFFIX
from concord.contracts.histories import PRODUCT_HISTORY, USER_HISTORY, tracked
from concord.contracts.model import Dataset
from concord.contracts.tables import PRODUCTS, TOAST_PLACEHOLDER, USERS
from concord.erasure.person import Person
from concord.erasure.values import stand_in
from concord.erasure.warehouse import erase
from tests.history_logs import HISTORY_OF
from tests.history_oracle import history_rows
from tests.shop_history import ShopHistory
from tests.warehouse_copy import WarehouseCopy, warehouse_copy

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

Rows = list[tuple[Any, ...]]
RESTLESS = 8
"""Keys of each table that come, change and go, and that no order names."""


@pytest.fixture(scope="module")
def history() -> ShopHistory:
    its = ShopHistory(5).live(days=3, changes=6)
    for _ in range(RESTLESS):
        its.new_user()
        its.new_product()
    return unrest(its, changes=120)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory, history: ShopHistory) -> Iterator[WarehouseCopy]:
    with warehouse_copy(tmp_path_factory.mktemp("histories")) as its:
        its.batch(history)
        yield its


def unrest(history: ShopHistory, changes: int) -> ShopHistory:
    """Of the restless keys: changes of this and that, values left out, deletes, and new beginnings."""
    dice = random.Random(len(history.logs["users"]))
    for table in (USERS, PRODUCTS):
        keys = range(history.last_id[table.name] - RESTLESS + 1, history.last_id[table.name] + 1)
        for _ in range(changes):
            change(history, table, dice.choice(keys), dice)
    return history


def change(history: ShopHistory, table: Dataset, key: int, dice: random.Random) -> None:
    there, model = history.rows[table.name].get(key), next(iter(history.rows[table.name].values()))
    names = tracked(HISTORY_OF[table.name])
    if there is None:
        history.log(table, "c", {**model, "id": key, names[0]: f"again {dice.randint(1, 2)}"})
    elif dice.random() < 0.2:
        history.delete(table, key)
    else:
        left_out = {name: TOAST_PLACEHOLDER for name in table.toastable if dice.random() < 0.5}
        changed = {names[0]: f"name {dice.randint(1, 3)}"} if dice.random() < 0.5 else {}
        history.update(table, there, **{**left_out, **changed, "updated_at": history.moment()})


def rows_of(copy: WarehouseCopy, history: Dataset, schema: str = "MARTS") -> Rows:
    """Without the stamp."""
    return [row[:-1] for row in copy.rows(schema, history)]


def assert_right(copy: WarehouseCopy, logs: dict[str, list[dict[str, Any]]], schema: str = "MARTS") -> None:
    for table, history in HISTORY_OF.items():
        assert rows_of(copy, history, schema) == list(history_rows(history, logs[table])), table


def rebuilt(copy: WarehouseCopy, history: Dataset, before: Rows) -> set[int]:
    """Keys with a row that came, went, or bears another stamp."""
    return {row[0] for row in {*before} ^ {*copy.rows("MARTS", history)}}


def test_full_build_is_a_replay_of_the_change_log(copy: WarehouseCopy, history: ShopHistory) -> None:
    assert_right(copy, history.logs)
    for history_of in HISTORY_OF.values():
        rows = rows_of(copy, history_of)
        assert {row[-1] for row in rows} == {True, False}, "some ended in a delete, some did not"
        assert any(row[-4] == row[-3] for row in rows), "some period is empty"


def test_a_batch_rebuilds_the_keys_that_changed(copy: WarehouseCopy, history: ShopHistory) -> None:
    before = {table: copy.rows("MARTS", its) for table, its in HISTORY_OF.items()}
    renamed, sold = sorted(history.rows["products"])[:2]
    history.update(PRODUCTS, history.rows["products"][renamed], name="new name", updated_at=history.moment())
    history.update(PRODUCTS, history.rows["products"][sold], stock_quantity=1, updated_at=history.moment())
    (user, *_) = sorted(history.rows["users"])
    moved = {"email": "new@example.com", "first_name": TOAST_PLACEHOLDER, "updated_at": history.moment()}
    history.update(USERS, history.rows["users"][user], **moved)
    copy.batch(history)
    assert_right(copy, history.logs)
    assert rebuilt(copy, PRODUCT_HISTORY, before["products"]) == {renamed}
    assert rebuilt(copy, USER_HISTORY, before["users"]) == {user}


def test_after_an_erasure_a_history_is_what_a_build_from_the_erased_log_gives(
    copy: WarehouseCopy, history: ShopHistory
) -> None:
    versions = [row[0] for row in rows_of(copy, USER_HISTORY)]
    person = Person(max(versions, key=versions.count), b"salt")
    logs = {**history.logs, "users": [erased(change, person.user_id) for change in history.logs["users"]]}
    done = list(erase(copy.client, person, apply=True))
    assert {each.place for each in done if each.what == "versions joined" and each.count} == {
        "warehouse marts.user_history",
        "warehouse marts_shadow.user_history",
    }
    assert_right(copy, logs)
    assert_right(copy, logs, f"MARTS{SHADOW_SUFFIX}")
    assert [each for each in erase(copy.client, person, apply=True) if each.count] == []


def erased(change: dict[str, Any], user: int) -> dict[str, Any]:
    """As every store erases: null and the placeholder stay."""
    return change | {
        name: stand_in(user, USERS[name])
        for name in tracked(USER_HISTORY)
        if change["id"] == user and change[name] not in (None, TOAST_PLACEHOLDER)
    }

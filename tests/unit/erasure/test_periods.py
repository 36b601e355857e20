"""Of a history that is erased in place is left what a history of the erased change log has."""

from typing import Any

from hypothesis import given

from concord.contracts.histories import USER_HISTORY, tracked
from concord.contracts.marts import stamp
from concord.contracts.tables import TOAST_PLACEHOLDER, USERS
from concord.erasure.periods import joined
from concord.erasure.values import stand_in
from tests.history_logs import KEYS, Log, change_logs
from tests.history_oracle import history_rows

NAMES = tuple(name for name in USER_HISTORY.names if name != stamp(USER_HISTORY))


def erased(row: dict[str, Any]) -> dict[str, Any]:
    """As every store erases: null and the placeholder stay."""
    return row | {
        name: stand_in(1, USERS[name])
        for name in tracked(USER_HISTORY)
        if row[name] is not None and row[name] != TOAST_PLACEHOLDER
    }


def histories(log: Log) -> dict[int, list[dict[str, Any]]]:
    rows = [dict(zip(NAMES, row, strict=True)) for row in history_rows(USER_HISTORY, log)]
    return {key: [row for row in rows if row["user_id"] == key] for key in KEYS}


@given(change_logs(USERS))
def test_erased_in_place_and_built_anew_from_what_is_erased_are_the_same(log: Log) -> None:
    anew = histories([erased(change) for change in log])
    assert {key: joined([erased(row) for row in rows]) for key, rows in histories(log).items()} == anew


@given(change_logs(USERS))
def test_joined_again_nothing_changes(log: Log) -> None:
    for rows in histories(log).values():
        assert joined(rows) == rows

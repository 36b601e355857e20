"""Who may log in."""

import pytest

from concord.standins.snowflake import UNSUPPORTED
from concord.standins.snowflake.app import Account


@pytest.mark.parametrize(
    ("account", "user", "password", "is_admitted"),
    [
        (Account(), "anybody", "", True),
        (Account("CONCORD", "secret"), "concord", "secret", True),
        (Account("CONCORD", "secret"), "concord", "Secret", False),
        (Account("CONCORD", "secret"), "other", "secret", False),
        (Account(None, "secret"), "other", "secret", True),
    ],
)
def test_configured_user_alone_is_admitted(account: Account, user: str, password: str, is_admitted: bool) -> None:
    assert account.admits(user, password) is is_admitted


def test_limits_are_short_lines_for_people() -> None:
    assert all(0 < len(line) < 130 and "\n" not in line for line in UNSUPPORTED)

"""Who makes the warehouse's tables."""

from dataclasses import dataclass

import pytest

from concord.errors import Misconfigured
from concord.provision import keeps_roles

Rows = list[tuple[object, ...]]


@dataclass
class Warehouse:
    """Answers the question for roles as an account or a local server does."""

    answer: Rows | Misconfigured
    role: str = "TRANSFORMER"

    def query(self, statement: str) -> Rows:
        assert statement == "show roles like 'TRANSFORMER'"
        if isinstance(self.answer, Misconfigured):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    ("answer", "does"),
    [
        ([("2026-11-27", "TRANSFORMER", "N", "Y", "N", 1, 0, 0, "ACCOUNTADMIN", "")], True),
        ([], False),
        (Misconfigured("cannot run 'show roles like'"), False),
    ],
)
def test_where_the_account_shows_the_role_the_tables_are_its_administrators(
    answer: Rows | Misconfigured, does: bool
) -> None:
    assert keeps_roles(Warehouse(answer)) is does  # type: ignore[arg-type]

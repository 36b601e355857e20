"""Which columns of the warehouse are searched for a person's words, and in which order."""

from dataclasses import dataclass
from typing import cast

from concord.erasure.warehouse import text_columns
from concord.gateways.snowflake import Snowflake


@dataclass
class Columns:
    """A warehouse that tells of its columns of text in the order that it likes."""

    told: list[tuple[str, str]]
    database: str = "ECOMMERCE_DW"

    def query(self, _statement: str, _values: tuple[str, ...]) -> list[tuple[str, str]]:
        return self.told


def test_texts_are_searched_in_the_order_of_the_tables_columns() -> None:
    told = [("raw.users", "last_name"), ("raw.users", "first_name"), ("raw.users", "email"), ("raw.a_view", "name")]
    tables = {
        "raw.users": ("id", "email", "first_name", "last_name", "created_at"),
        "raw.load_audit": ("rows_landed",),
    }
    found = text_columns(cast(Snowflake, Columns(told)), tables)
    assert found == {"raw.users": ("email", "first_name", "last_name")}

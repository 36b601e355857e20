"""By which column a row belongs to a user: the contracts' references, and the key where the row is the user's own."""

from collections.abc import Collection

from concord.contracts.marts import CUSTOMER_ANALYTICS
from concord.contracts.personal import Personal
from concord.contracts.tables import ORDERS, USERS

OF_USERS = f"{USERS.name}.id"
REFERRING = tuple(
    dict.fromkeys(
        column.name
        for dataset in (ORDERS, CUSTOMER_ANALYTICS)
        for column in dataset.columns
        if column.references == OF_USERS
    )
)
"""Columns that name a user, whatever the table."""
EMAIL = next(column.name for column in USERS.columns if column.personal is Personal.EMAIL)
(KEY,) = USERS.key
OWNER_OF = {USERS.name: KEY, ORDERS.name: "user_id"}
"""Captured tables with personal columns, and the column that says whose row it is."""


def owner_column(columns: Collection[str]) -> str | None:
    """Of a table with these columns; None if its rows belong to nobody."""
    named = next((name for name in REFERRING if name in columns), None)
    is_a_user = EMAIL in columns and KEY in columns
    return named or (KEY if is_a_user else None)

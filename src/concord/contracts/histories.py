"""What customers and articles were, when: published histories with validity periods, made from the change logs.

A key that is gone keeps its history, so keys refer to no row of today.
"""

from dataclasses import replace

from concord.contracts.derived import BUILT_AT
from concord.contracts.model import Column, Dataset
from concord.contracts.tables import PRODUCTS, USERS
from concord.contracts.types import BIGINT, BOOLEAN, INSTANT

PERIOD = (
    Column(
        "valid_from",
        INSTANT,
        description=(
            "When PostgreSQL committed the change that began the version, never before an earlier change of the key; "
            "of a row older than its capture, when it was first captured. It holds from here on, this instant included."
        ),
    ),
    Column(
        "valid_to",
        INSTANT,
        nullable=True,
        description=(
            "When the next version began or the row was deleted, this instant excluded; null for the current version. "
            "Equal to valid_from where the change after it came in the same millisecond: it held at no instant."
        ),
    ),
    Column("is_current", BOOLEAN, description="The shop has this version at the batch's position."),
    Column("is_deleted", BOOLEAN, description="It ended because the row was deleted, not because it changed."),
)
VERSION = Column("version", BIGINT, description="1, 2, … in the order of the changes, over deletes and new beginnings.")


def tracked(history: Dataset) -> tuple[str, ...]:
    """The columns of a history whose change begins a version."""
    others = {*history.key, *(column.name for column in PERIOD), BUILT_AT.name}
    return tuple(name for name in history.names if name not in others)


def _of(table: Dataset, *names: str) -> tuple[Column, ...]:
    """Columns to track. One that may be left out of updates may not have been sent yet."""
    return tuple(replace(table[name], nullable=table[name].nullable or table[name].toastable) for name in names)


USER_HISTORY = Dataset(
    name="user_history",
    description=(
        "One row per customer and version: e-mail address and names, from when to when they were so. Changes that leave "
        "them as they were make no version; what PostgreSQL has not sent yet is null."
    ),
    key=("user_id", "version"),
    cluster=("user_id",),
    columns=(
        Column("user_id", BIGINT, description="Customer number."),
        VERSION,
        *_of(USERS, "email", "first_name", "last_name"),
        *PERIOD,
        BUILT_AT,
    ),
)

PRODUCT_HISTORY = Dataset(
    name="product_history",
    description=(
        "One row per article and version: name, category, price and cost, from when to when they were so. Changes that "
        "leave them as they were, of stock for instance, make no version; what PostgreSQL has not sent yet is null."
    ),
    key=("product_id", "version"),
    cluster=("product_id",),
    columns=(
        Column("product_id", BIGINT, description="Article number."),
        VERSION,
        *_of(PRODUCTS, "name", "category", "price", "cost"),
        *PERIOD,
        BUILT_AT,
    ),
)

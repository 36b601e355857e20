"""The warehouse's account: who works in it, on what, and how far each may go."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """One duty each. A role may do what its duty needs, and nothing else."""

    LOADER = "LOADER"
    TRANSFORMER = "TRANSFORMER"
    REPORTER = "REPORTER"


DUTIES = {
    Role.LOADER: "brings the lake into RAW, nothing else",
    Role.TRANSFORMER: "reads RAW, builds, tests and publishes the models, keeps the quality results",
    Role.REPORTER: "reads what is published, with persons masked",
}
ADMINISTRATOR = "ACCOUNTADMIN"
"""Sets the account up, and so owns what the set-up makes. It has every other role."""
SEES_PERSONS = (Role.LOADER, Role.TRANSFORMER)
"""Whoever writes a column must see it: a masked value would be written as it is shown."""


class Size(StrEnum):
    XSMALL = "XSMALL"
    SMALL = "SMALL"
    MEDIUM = "MEDIUM"
    LARGE = "LARGE"
    XLARGE = "XLARGE"
    XXLARGE = "XXLARGE"


@dataclass(frozen=True)
class Warehouse:
    """One engine of the account, used by one role, so that its cost has one cause."""

    name: str
    size: Size
    role: Role
    purpose: str


WAREHOUSES = (
    Warehouse("LOAD_WH", Size.MEDIUM, Role.LOADER, "load"),
    Warehouse("COMPUTE_WH", Size.SMALL, Role.TRANSFORMER, "transform"),
    Warehouse("REPORT_WH", Size.XSMALL, Role.REPORTER, "report"),
)

SUSPEND_SECONDS = 300
"""Idle seconds after which a warehouse stops, as the design asks; 60 is what pays where batches are short:
`concord cost whatif --suspend 60` says how much. The profile's `snowflake.auto_suspend_seconds` decides."""


@dataclass(frozen=True)
class Monitor:
    """Ends a month that runs away: percent of the quota at which it tells, lets statements finish, stops them."""

    name: str
    credits_per_month: int
    notify: int
    suspend: int
    stop: int


MONITOR = Monitor("CONCORD_MONTHLY", credits_per_month=100, notify=80, suspend=100, stop=110)

DATABASE = "ECOMMERCE_DW"
RAW, STAGING, MARTS, GOVERNANCE = "RAW", "STAGING", "MARTS", "GOVERNANCE"
SCHEMAS = (RAW, STAGING, MARTS)
JOURNAL_PREFIX = "unpublished_"
"""Before a table's name: the keys whose rows in the working copy are not those that readers see."""

"""What can be expected of data, in no engine's words, and the tables in which broken expectations are kept."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal as Number
from enum import StrEnum

from concord.contracts.model import Column, Dataset, by_name
from concord.contracts.types import BIGINT, INSTANT, JSON, TEXT, Category


class Dimension(StrEnum):
    """The aspect of quality that an expectation speaks of."""

    COMPLETENESS = "completeness"
    VALIDITY = "validity"
    UNIQUENESS = "uniqueness"
    INTEGRITY = "referential integrity"
    CONSISTENCY = "consistency"
    FRESHNESS = "freshness"
    VOLUME = "volume"
    DISTRIBUTION = "distribution"


class Severity(StrEnum):
    """Critical is what Concord itself answers for; source data that breaks a rule is flagged and kept."""

    CRITICAL = "critical"
    FLAG = "flag"


class Layer(StrEnum):
    """Where rules are checked, in the order in which rows come by."""

    LAKE = "lake"
    RAW = "RAW"
    STAGING = "STAGING"


@dataclass(frozen=True)
class Filled:
    """Neither null nor blank."""


@dataclass(frozen=True)
class Matches:
    """The whole text matches; the pattern is anchored and holds no backslash, so that engines read it alike."""

    pattern: str


@dataclass(frozen=True)
class MatchesNot:
    """The whole text does not match."""

    pattern: str


@dataclass(frozen=True)
class OneOf:
    values: tuple[str, ...]


@dataclass(frozen=True)
class NoneOf:
    values: tuple[str, ...]


@dataclass(frozen=True)
class AtLeast:
    bound: Number


@dataclass(frozen=True)
class Above:
    bound: Number


@dataclass(frozen=True)
class NotBefore:
    """An instant that does not lie before another one of the row."""

    column: str


@dataclass(frozen=True)
class Unique:
    """No two rows have these values; rows in which one is null do not count."""

    columns: tuple[str, ...]


@dataclass(frozen=True)
class Refers:
    """The value is the key of a row of ``table``, or null."""

    table: str


@dataclass(frozen=True)
class SumsUp:
    """The value is the sum of the product of ``factors`` over the rows of ``table`` that refer to this one."""

    table: str
    reference: str
    factors: tuple[str, ...]


Expectation = Filled | Matches | MatchesNot | OneOf | NoneOf | AtLeast | Above | NotBefore | Unique | Refers | SumsUp


@dataclass(frozen=True)
class Through:
    """The expectation is one of a row's parent: the column is the parent's, the rows counted are the child's."""

    reference: str
    table: str


@dataclass(frozen=True)
class Rule:
    """One expectation of one column. Null meets every expectation but :class:`Filled`."""

    name: str
    dataset: str
    column: str
    expectation: Expectation
    severity: Severity
    description: str
    through: Through | None = None
    shows: str | None = None
    """The column whose value is kept, where it says more than the rule's own; also of the parent, if there is one."""

    @property
    def dimension(self) -> Dimension:
        match self.expectation:
            case Filled():
                return Dimension.COMPLETENESS
            case Unique():
                return Dimension.UNIQUENESS
            case Refers():
                return Dimension.INTEGRITY
            case SumsUp() | NotBefore():
                return Dimension.CONSISTENCY
            case _:
                return Dimension.VALIDITY

    def needs(self) -> dict[str, set[str]]:
        """The columns by dataset without which the rule cannot be checked."""
        own = {self.column}
        needed = {self.dataset: own}
        match self.expectation:
            case Unique(columns):
                own.update(columns)
            case NotBefore(column):
                own.add(column)
            case Refers(table):
                needed.setdefault(table, set()).add("id")
            case SumsUp(table, reference, factors):
                needed[table] = {reference, *factors}
        if self.through:
            return {self.dataset: {self.through.reference}, self.through.table: {self.column}}
        return needed


@dataclass(frozen=True)
class Fresh:
    """The newest row of a dataset is no older than ``within`` when the batch is published."""

    name: str
    dataset: str
    within: timedelta
    description: str


class Statistic(StrEnum):
    """What is made of the rows of one day."""

    ROWS = "rows"
    SUM = "sum"
    MEAN = "mean"
    SHARE_NULL = "share of null"
    SHARE_EQUAL = "share of a value"


@dataclass(frozen=True)
class Measure:
    """One figure per day of ``created_at``, which history tells what to expect of."""

    name: str
    dataset: str
    statistic: Statistic
    description: str
    column: str = "id"
    value: str | None = None

    @property
    def dimension(self) -> Dimension:
        is_volume = self.statistic in (Statistic.ROWS, Statistic.SUM)
        return Dimension.VOLUME if is_volume else Dimension.DISTRIBUTION

    def needs(self) -> dict[str, set[str]]:
        return {self.dataset: {self.column, "created_at"}}


Checked = Rule | Fresh | Measure
"""Everything that has a result per batch and layer."""

RESULTS = Dataset(
    name="results",
    description="One row per batch, layer and rule: how many rows were looked at, how many break it. The trend.",
    key=("batch_id", "layer", "rule"),
    columns=(
        Column("batch_id", TEXT, description="The published batch at whose position was looked."),
        Column("layer", Category(tuple(Layer))),
        Column("rule", TEXT),
        Column("dataset", TEXT),
        Column("dimension", Category(tuple(Dimension))),
        Column("severity", Category(tuple(Severity))),
        Column("rows_checked", BIGINT, description="Rows, or days, that the rule speaks of."),
        Column("violations", BIGINT),
        Column("checked_at", INSTANT),
    ),
)
VIOLATIONS = Dataset(
    name="violations",
    description="One row per batch, layer, rule and row (or day) that breaks it. Of the last batches only.",
    key=("batch_id", "layer", "rule", "row_key"),
    cluster=("batch_id", "layer", "rule"),
    columns=(
        Column("batch_id", TEXT),
        Column("layer", Category(tuple(Layer))),
        Column("rule", TEXT),
        Column("dataset", TEXT),
        Column("row_key", TEXT, description="Key of the row, or the day."),
        Column("value", TEXT, nullable=True, description="As it is; null if there is none or if it is personal."),
        Column("expected", TEXT, nullable=True, description="As it should be, where that is one value or a band."),
    ),
)
SERIES = Dataset(
    name="series",
    description="One row per batch, layer and measure: its days with the band that history gave them.",
    key=("batch_id", "layer", "rule"),
    columns=(
        Column("batch_id", TEXT),
        Column("layer", Category(tuple(Layer))),
        Column("rule", TEXT),
        Column("days", JSON, description="[[day, value, low, high], …]; low and high are null without history."),
    ),
)
QUALITY_SCHEMA = "QUALITY"
QUALITY = by_name(RESULTS, VIOLATIONS, SERIES)

"""Datasets and their columns: what every dialect projects and every test factory reads."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from concord.contracts.personal import Personal
from concord.contracts.types import LogicalType


@dataclass(frozen=True)
class Column:
    """One attribute. ``toastable``: PostgreSQL may leave it out of an update it did not touch.

    ``minimum``/``maximum``/``pattern``/``max_length`` bound events at the edge, the first two also rows of models; ``references``
    is ``table.column``; ``personal`` says that it is about a person, and in which way; ``default`` is a SQL
    literal that every engine understands.
    ``may_be_absent``: a captured table may lack it, because it comes later or is about to go; any other
    column that a change record lacks was dropped or renamed unannounced, and the record is set aside.
    """

    name: str
    type: LogicalType
    nullable: bool = False
    description: str = ""
    references: str | None = None
    personal: Personal | None = None
    toastable: bool = False
    default: str | None = None
    minimum: int | None = None
    maximum: int | None = None
    pattern: str | None = None
    max_length: int | None = None
    may_be_absent: bool = False

    def __post_init__(self) -> None:
        if self.may_be_absent and not self.nullable:
            raise ValueError(f"column {self.name} may be absent, so it must be nullable")


@dataclass(frozen=True)
class Dataset:
    """A named set of rows with one key.

    ``partition`` is the column whose day (or month, in ClickHouse) splits the storage,
    ``cluster`` the columns rows are sorted or clustered by.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    description: str = ""
    version: int = 1
    event_time: str | None = None
    partition: str | None = None
    cluster: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        repeated = {name for name in names if names.count(name) > 1}
        unknown = {*self.key, *self.cluster, *filter(None, (self.event_time, self.partition))} - {*names}
        if repeated or unknown:
            raise ValueError(f"{self.name}: repeated columns {repeated}, unknown columns {unknown}")

    def __getitem__(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def toastable(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.toastable)

    def extended(self, name: str, *columns: Column, **changes: object) -> "Dataset":
        """The same dataset under another name with columns behind its own."""
        return replace(self, name=name, columns=(*self.columns, *columns), **changes)  # type: ignore[arg-type]


def by_name(*datasets: Dataset) -> Mapping[str, Dataset]:
    return {dataset.name: dataset for dataset in datasets}

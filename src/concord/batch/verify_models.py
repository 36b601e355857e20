"""What readers see, held against the same models built anew from RAW: row for row, build stamps aside."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from concord.batch.build import Dbt
from concord.batch.models import PUBLISHED
from concord.contracts.marts import stamp
from concord.contracts.model import Dataset
from concord.contracts.position import Publication
from concord.errors import Misconfigured
from concord.gateways.snowflake import Snowflake

SUFFIX = "_VERIFY"
SHOWN_KEYS = 5


@dataclass(frozen=True)
class Compared:
    """One published table against the one built anew; ``keys`` names some of the rows that differ."""

    table: str
    rows: int
    only_published: int
    only_anew: int
    keys: tuple[tuple[Any, ...], ...] = ()

    @property
    def is_equal(self) -> bool:
        return not (self.only_published or self.only_anew)


def verify(warehouse: Snowflake, dbt: Dbt) -> list[Compared]:
    """Build every model anew at the published position, beside the published ones, and compare."""
    published = _published(warehouse)
    with _schemas_of_its_own(warehouse):
        dbt.build_beside(published.as_of, published.position, SUFFIX)
        return [compare(warehouse, schema, dataset) for schema, dataset in PUBLISHED]


def compare(warehouse: Snowflake, schema: str, dataset: Dataset) -> Compared:
    """Rows that only one of the two has. Keys are unique, so sets are enough."""
    columns = ", ".join(name for name in dataset.names if name != stamp(dataset))
    seen, anew = (f"select {columns} from {schema}{suffix}.{dataset.name}" for suffix in ("", SUFFIX))
    ((rows, only_seen, only_anew),) = warehouse.query(
        f"select (select count(*) from {schema}.{dataset.name}), "
        f"(select count(*) from ({seen} except {anew}) as a), (select count(*) from ({anew} except {seen}) as b)"
    )
    keys = _keys(warehouse, dataset, seen, anew) if only_seen or only_anew else ()
    return Compared(f"{schema}.{dataset.name}", rows, only_seen, only_anew, keys)


def _keys(warehouse: Snowflake, dataset: Dataset, seen: str, anew: str) -> tuple[tuple[Any, ...], ...]:
    key = ", ".join(dataset.key)
    differing = f"select * from ({seen} except {anew}) as a union all select * from ({anew} except {seen}) as b"
    return tuple(
        warehouse.query(f"select distinct {key} from ({differing}) as either order by {key} limit {SHOWN_KEYS}")
    )


def _published(warehouse: Snowflake) -> Publication:
    published = warehouse.publication()
    if published is None:
        raise Misconfigured("nothing is published yet, so there is nothing to verify", "concord batch run")
    return published


@contextmanager
def _schemas_of_its_own(warehouse: Snowflake) -> Iterator[None]:
    try:
        yield
    finally:
        for schema in dict(PUBLISHED):
            warehouse.execute(f"drop schema if exists {schema}{SUFFIX} cascade")

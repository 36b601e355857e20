"""The working copies of the models: brought to a batch's position beside the published ones."""

from collections.abc import Iterator
from datetime import datetime

from concord.batch.build import NOTHING_BUILT, Built, Dbt
from concord.batch.extent import Build, Extent, State, builds, extent, following, note
from concord.contracts.derived import STAGING
from concord.contracts.funnels import INTERMEDIATE
from concord.contracts.marts import MARTS
from concord.contracts.model import Dataset
from concord.contracts.position import Position
from concord.contracts.warehouse import JOURNAL_PREFIX
from concord.dialects.snowflake import create_table
from concord.gateways.snowflake import Snowflake

SHADOW_SUFFIX = "_SHADOW"
PUBLISHED: tuple[tuple[str, Dataset], ...] = (
    *(("STAGING", dataset) for dataset in (*STAGING.values(), *INTERMEDIATE.values())),
    *(("MARTS", dataset) for dataset in MARTS.values()),
)
"""Schema and dataset of everything that readers see."""


def bring_up(warehouse: Snowflake, dbt: Dbt, as_of: datetime, position: Position, anew: bool = False) -> Built:
    """Build and test what changed since the last build that ended; everything if there is none, or other models."""
    steps, project = builds(warehouse), dbt.digest()
    wanted = Extent(position) if anew else extent(steps, position, as_of, project)
    if wanted.is_empty:
        return NOTHING_BUILT
    if wanted.is_full:
        _create_journals(warehouse)
    number = steps[-1].number + 1 if steps else 1
    begun = note(warehouse, Build(number, State.BEGUN, position, as_of, project, wanted.is_full))
    built = dbt.build(as_of, wanted)
    note(warehouse, following(begun, State.ENDED))
    return built


def journal(dataset: Dataset) -> Dataset:
    """The keys whose rows in the working copy are not those that readers see."""
    return Dataset(JOURNAL_PREFIX + dataset.name, tuple(dataset[name] for name in dataset.key), key=dataset.key)


def shadow(schema: str, dataset: Dataset) -> str:
    """The working copy of a published table."""
    return f"{schema}{SHADOW_SUFFIX}.{dataset.name}"


def _create_journals(warehouse: Snowflake) -> None:
    for statement in _journal_definitions():
        warehouse.execute(statement)


def _journal_definitions() -> Iterator[str]:
    for schema in dict(PUBLISHED):
        yield f"create schema if not exists {schema}{SHADOW_SUFFIX}"
    for schema, dataset in PUBLISHED:
        yield create_table(journal(dataset), schema + SHADOW_SUFFIX)

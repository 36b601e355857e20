"""What makes a batch visible: one transaction that replaces the published tables and says so.

On a real account ``alter table … swap with`` is a definition and commits by itself, one table after
the other; plain deletes and inserts let staging, marts and the publication appear at one moment.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from concord.contracts.derived import LOAD_AUDIT, MARTS, PUBLICATIONS, STAGING
from concord.contracts.model import Dataset
from concord.contracts.position import Position, Publication
from concord.dialects.snowflake import create_table
from concord.errors import Disagreement
from concord.gateways.snowflake import Snowflake

SHADOW_SUFFIX = "_SHADOW"
PUBLISHED: tuple[tuple[str, Dataset], ...] = (
    *(("STAGING", dataset) for dataset in STAGING.values()),
    *(("MARTS", dataset) for dataset in MARTS.values()),
)
"""Schema and dataset of everything that readers see."""


def publish(warehouse: Snowflake, publication: Publication) -> None:
    """Show the models built in the shadow schemas, and record the batch if it is not recorded yet."""
    for schema, dataset in PUBLISHED:
        warehouse.execute(create_table(dataset, schema))
    with warehouse.transaction():
        for schema, dataset in PUBLISHED:
            _replace(warehouse, schema, dataset)
        _record(warehouse, publication)


def _replace(warehouse: Snowflake, schema: str, dataset: Dataset) -> None:
    columns = ", ".join(dataset.names)
    target, shadow = f"{schema}.{dataset.name}", f"{schema}{SHADOW_SUFFIX}.{dataset.name}"
    warehouse.execute(f"delete from {target}")
    warehouse.execute(f"insert into {target} ({columns}) select {columns} from {shadow}")
    counts = warehouse.query(f"select (select count(*) from {target}), (select count(*) from {shadow})")
    if counts[0][0] != counts[0][1]:
        raise Disagreement(f"{target} took {counts[0][0]:,} of the {counts[0][1]:,} rows of {shadow}")


def _record(warehouse: Snowflake, publication: Publication) -> None:
    name = f"RAW.{PUBLICATIONS.name}"
    if warehouse.query(f"select batch_id from {name} where batch_id = %s", (publication.batch_id,)):
        return
    warehouse.execute(
        f"insert into {name} (batch_id, position, as_of, published_at) values (%s, %s, %s, %s)",
        (
            publication.batch_id,
            json.dumps(publication.position.as_json()),
            _naive(publication.as_of),
            _naive(publication.published_at),
        ),
    )


def publications(warehouse: Snowflake) -> list[Publication]:
    """Every published batch, oldest first."""
    rows = warehouse.query(
        f"select batch_id, position, as_of, published_at from RAW.{PUBLICATIONS.name} order by published_at, batch_id"
    )
    return [
        Publication(batch_id, Position.from_json(json.loads(position)), _aware(as_of), _aware(published_at))
        for batch_id, position, as_of, published_at in rows
    ]


def unpublished(warehouse: Snowflake) -> Sequence[str]:
    """Batches that were loaded and never published: they died, or their tests failed."""
    rows = warehouse.query(
        f"select distinct batch_id from RAW.{LOAD_AUDIT.name} "
        f"where batch_id not in (select batch_id from RAW.{PUBLICATIONS.name}) order by batch_id"
    )
    return [row[0] for row in rows]


def _aware(instant: datetime) -> datetime:
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def _naive(instant: datetime) -> datetime:
    """Snowflake's timestamps here have no zone: they are UTC."""
    return instant.astimezone(UTC).replace(tzinfo=None)

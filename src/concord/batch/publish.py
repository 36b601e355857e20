"""What makes a batch visible: one transaction that replaces the published tables and says so.

On a real account ``alter table … swap with`` is a definition and commits by itself, one table after
the other; plain deletes and inserts let staging, marts and the publication appear at one moment.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from concord.batch.extent import State, builds, following, is_whole, note
from concord.batch.models import PUBLISHED, journal, shadow
from concord.contracts.derived import LOAD_AUDIT, PUBLICATIONS
from concord.contracts.model import Dataset
from concord.contracts.position import Position, Publication
from concord.errors import Disagreement
from concord.gateways.snowflake import Snowflake


def publish(warehouse: Snowflake, publication: Publication) -> None:
    """Show what the working copies hold, and record the batch if it is not recorded yet.

    Only the keys that journals name are written, and only to the tables that have some; after a full build
    everything is. Nothing built since the last publication: nothing is written.
    """
    steps = builds(warehouse)
    if steps[-1].state is State.PUBLISHED:
        return
    is_whole_publication = is_whole(steps)
    targets = PUBLISHED if is_whole_publication else _with_unpublished(warehouse)
    with warehouse.transaction():
        for schema, dataset in targets:
            _replace(warehouse, schema, dataset, is_whole_publication)
        note(warehouse, following(steps[-1], State.PUBLISHED))
        _record(warehouse, publication)


def _with_unpublished(warehouse: Snowflake) -> list[tuple[str, Dataset]]:
    """The published tables whose journals name a key."""
    counts = ", ".join(f"(select count(*) from {_journal(*target)})" for target in PUBLISHED)
    (row,) = warehouse.query(f"select {counts}")
    return [target for target, keys in zip(PUBLISHED, row, strict=True) if keys]


def _replace(warehouse: Snowflake, schema: str, dataset: Dataset, is_whole_publication: bool) -> None:
    columns, key = ", ".join(dataset.names), ", ".join(dataset.key)
    target, copy = f"{schema}.{dataset.name}", shadow(schema, dataset)
    where = "" if is_whole_publication else f" where ({key}) in (select {key} from {_journal(schema, dataset)})"
    warehouse.execute(f"delete from {target}{where}")
    warehouse.execute(f"insert into {target} ({columns}) select {columns} from {copy}{where}")
    warehouse.execute(f"delete from {_journal(schema, dataset)}")
    counts = warehouse.query(f"select (select count(*) from {target}), (select count(*) from {copy})")
    if counts[0][0] != counts[0][1]:
        raise Disagreement(f"{target} came out with {counts[0][0]:,} rows and {copy} has {counts[0][1]:,}")


def _journal(schema: str, dataset: Dataset) -> str:
    return shadow(schema, journal(dataset))


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

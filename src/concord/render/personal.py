"""The page that says where personal data lies, and how much of it a reader sees."""

from collections.abc import Iterable, Iterator, Mapping

from concord.contracts.behaviour import SESSIONS
from concord.contracts.derived import DEAD_LETTERS
from concord.contracts.events import EVENTS, EVENTS_LANDING
from concord.contracts.model import Column, Dataset
from concord.contracts.personal import SHOWN, Personal
from concord.contracts.tables import TABLES
from concord.contracts.warehouse import SEES_PERSONS
from concord.dialects.snowflake import TABLES_BY_SCHEMA
from concord.render.notice import NOTICE

PLACES: Mapping[str, tuple[Dataset, ...]] = {
    "PostgreSQL, and from it: Kafka, change logs and mirrors (lake), change logs and `…_realtime` (ClickHouse)": tuple(
        TABLES.values()
    ),
    "the clickstream: Kafka, landing and `events` (lake), `events`, `events_late` (ClickHouse)": (
        EVENTS,
        EVENTS_LANDING,
    ),
    "dead letters: topic `dlq.…` (Kafka), `dead_letters` (lake, ClickHouse)": (DEAD_LETTERS,),
    "sessions (ClickHouse)": (SESSIONS,),
    **{f"schema {schema} (warehouse)": datasets for schema, datasets in TABLES_BY_SCHEMA.items()},
}
"""Datasets by where their rows lie."""


def personal_data() -> str:
    return "\n".join([f"<!-- {NOTICE} -->", *_page()]) + "\n"


def _page() -> Iterator[str]:
    yield "# Personal data"
    yield ""
    yield "Classified once, by the attribute `personal` of a column in `src/concord/contracts/`. From it follow the tags and"
    yield "masks of the warehouse, the tag `pii` in dbt's documentation, and this page. A customer's number is the pseudonym by"
    yield "which everything is joined; it is neither masked nor listed here."
    yield ""
    yield f"In the warehouse {' and '.join(SEES_PERSONS)} see the values, because they write them; any other role sees what the"
    yield "last column says. The other stores have no masks: only their own accounts read them."
    yield ""
    yield from _table(("kind", "shown to others as"), ((kind, SHOWN[kind]) for kind in Personal))
    for place, datasets in PLACES.items():
        rows = [(f"`{dataset.name}`", _columns(dataset)) for dataset in datasets if _personal(dataset)]
        if rows:
            yield ""
            yield f"## {place[0].upper()}{place[1:]}"
            yield from _table(("dataset", "columns"), rows)


def _personal(dataset: Dataset) -> list[Column]:
    return [column for column in dataset.columns if column.personal]


def _columns(dataset: Dataset) -> str:
    return ", ".join(f"`{column.name}` ({column.personal})" for column in _personal(dataset))


def _table(titles: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(titles)} |"
    yield f"|{'---|' * len(titles)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)

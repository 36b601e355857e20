"""What the speed layer, the batch layer's judge and the load make of topics and lake tables, as contracts declare it."""

from collections.abc import Iterable, Iterator, Mapping

from concord.contracts.behaviour import ENRICHED_EVENTS, LATE_EVENTS
from concord.contracts.derived import DEAD_LETTERS, WAREHOUSE_BOOKKEEPING
from concord.contracts.documents import DOCUMENT_SUBJECTS, DOCUMENTS
from concord.contracts.enrichment import CATALOGUE, PUBLICATION, USER_TIERS
from concord.contracts.events import EVENTS, EVENTS_LANDING
from concord.contracts.lake_metrics import (
    CUSTOMER_METRICS,
    FUNNEL_METRICS,
    JOB_RUNS,
    LAKE_METRICS,
    OF_RUN,
    ORDER_METRICS,
    PRODUCT_METRICS,
)
from concord.contracts.model import Column, Dataset
from concord.contracts.names import CHANGES_QUERY, EVENTS_QUERY, cdc_topic
from concord.contracts.state import state_columns
from concord.contracts.tables import (
    LOAD_METADATA,
    ORDER_ITEMS,
    ORDERS,
    POSITION_COLUMNS,
    PRODUCTS,
    TABLES,
    USERS,
    as_change,
    as_mirror,
    lake_name,
)
from concord.dialects.clickhouse import view_name
from concord.dialects.snowflake import RAW_DATASETS
from concord.lineage.capture import DOCUMENT, DOCUMENT_COLUMNS, EVENTS_RECORDS, in_document, in_landing
from concord.lineage.graph import ROWS, Derivation, Field, copies, same

BATCH = "concord batch run"
VIEW = "ClickHouse view"
PUT = "concord lake put"
METRICS = "concord batch metrics"
FILES = "files.documents"
POSITION = tuple(column.name for column in POSITION_COLUMNS)
VERDICT = ("reason", "pointer", "detail")

MEASURED = {
    CUSTOMER_METRICS.name: (USERS.name, ORDERS.name, ORDER_ITEMS.name, PRODUCTS.name),
    PRODUCT_METRICS.name: (ORDERS.name, ORDER_ITEMS.name, PRODUCTS.name),
    ORDER_METRICS.name: (USERS.name, ORDERS.name, ORDER_ITEMS.name, as_change(ORDERS).name),
    FUNNEL_METRICS.name: (EVENTS.name,),
}
"""Tables of the lake whose rows Spark's metrics are made of."""

HANDED_OVER = {
    USER_TIERS.name: {"user_id": "staging.users_enhanced.id", "customer_tier": "staging.users_enhanced.customer_tier"},
    CATALOGUE.name: {
        "product_id": "staging.products_enhanced.id",
        "product_category": "staging.products_enhanced.category",
        "product_price": "staging.products_enhanced.price",
    },
}
"""What a publication gives to the speed layer."""
ENRICHED_BY = {
    "customer_tier": ("speed.user_tiers.customer_tier",),
    "product_category": (f"{EVENTS_RECORDS}.{in_document('category')}", "speed.catalogue.product_category"),
    "product_price": (f"{EVENTS_RECORDS}.{in_document('price')}", "speed.catalogue.product_price"),
}


def speed() -> Iterator[Derivation]:
    """Change logs, current state, events in time and late, their dead letters, and what they are enriched with."""
    for table in TABLES.values():
        log = f"speed.{as_change(table).name}"
        yield from copies(log, f"kafka.{cdc_topic(table)}", same(as_change(table).names), CHANGES_QUERY)
        yield from copies(f"speed.{view_name(table)}", log, same(state_columns(table)), VIEW)
    for name, columns in HANDED_OVER.items():
        yield from _handed_over(f"speed.{name}", columns)
    for events in (ENRICHED_EVENTS, LATE_EVENTS):
        yield from _events(f"speed.{events.name}", EVENTS_RECORDS, EVENTS_QUERY)
        yield from _enriched(events)
    yield from _dead_letters(f"speed.{DEAD_LETTERS.name}", EVENTS_RECORDS, POSITION, EVENTS_QUERY)


def _enriched(events: Dataset) -> Iterator[Derivation]:
    for name, parents in ENRICHED_BY.items():
        how = events[name].description
        yield Derivation(Field(f"speed.{events.name}", name), tuple(map(_field, parents)), EVENTS_QUERY, how)


def _handed_over(dataset: str, columns: Mapping[str, str]) -> Iterator[Derivation]:
    yield Derivation(Field(dataset, PUBLICATION.name), (), BATCH, reason=PUBLICATION.description)
    for column, parent in columns.items():
        yield Derivation(Field(dataset, column), (_field(parent),), BATCH)


def _field(text: str) -> Field:
    dataset, _, column = text.rpartition(".")
    return Field(dataset, column)


def judged() -> Iterator[Derivation]:
    """What the batch layer makes of the landed bytes."""
    landing, position = f"lake.{EVENTS_LANDING.name}", tuple(map(lake_name, POSITION))
    yield from _events(f"lake.{EVENTS.name}", landing, BATCH, position)
    yield from _dead_letters(f"lake.{DEAD_LETTERS.name}", landing, position, BATCH)


def _events(dataset: str, parent: str, step: str, position: Iterable[str] = POSITION) -> Iterator[Derivation]:
    documents = {name: in_document(name) for name in DOCUMENT_COLUMNS}
    yield from copies(dataset, parent, {**documents, **same(position)}, step)


def _dead_letters(dataset: str, parent: str, position: Iterable[str], step: str) -> Iterator[Derivation]:
    yield from copies(dataset, parent, {"original": DOCUMENT, **same(position)}, step)
    for column in VERDICT:
        yield Derivation(Field(dataset, column), (Field(parent, DOCUMENT),), step, "the judge's verdict")
    yield Derivation(Field(dataset, "first_seen_at"), (), step, reason="the clock of whoever judged it")


def mirrors() -> Iterator[Derivation]:
    """Current state in the lake."""
    for table in TABLES.values():
        names = {lake_name(name): in_landing(name) for name in as_mirror(table).names if name != "date"}
        log, mirror = f"lake.{as_change(table).name}", f"lake.{table.name}"
        yield from copies(mirror, log, names, BATCH)
        created = Field(log, in_landing("created_at"))
        yield Derivation(Field(mirror, "date"), (created,), BATCH, "to_date(created_at)")


def documents() -> Iterator[Derivation]:
    """Files that people put into the lake."""
    there = f"lake.{DOCUMENTS.name}"
    yield from copies(there, FILES, {"name": "name"}, PUT)
    for column in ("sha256", "content_type", "size_bytes", "content_text", "text_fault"):
        yield Derivation(Field(there, column), (Field(FILES, "bytes"),), PUT, DOCUMENTS[column].description or column)
    yield Derivation(Field(there, "uri"), (Field(there, "sha256"),), PUT, DOCUMENTS["uri"].description)
    about = f"lake.{DOCUMENT_SUBJECTS.name}"
    yield from copies(about, FILES, {"subject": "about", "subject_id": "about"}, PUT)
    yield Derivation(Field(about, "sha256"), (Field(there, "sha256"),), PUT)
    for dataset in (there, about):
        yield Derivation(Field(dataset, "put_at"), (), PUT, reason="the clock of whoever put it there")


def metrics() -> Iterator[Derivation]:
    """What Spark computes a second time, known by its tables: its columns are those of the marts."""
    for name, parents in MEASURED.items():
        rows = tuple(Field(f"lake.{parent}", ROWS) for parent in parents)
        for column in LAKE_METRICS[name].columns:
            how = column.description or column.name
            is_of_run = column in OF_RUN
            yield Derivation(
                Field(f"lake.{name}", column.name), () if is_of_run else rows, METRICS, how, how if is_of_run else ""
            )
    for column in JOB_RUNS.columns:
        yield Derivation(
            Field(f"lake.{JOB_RUNS.name}", column.name), (), METRICS, reason=column.description or JOB_RUNS.description
        )


def load() -> Iterator[Derivation]:
    """Schema RAW: tables of the lake, the load's own words about each row, and its bookkeeping."""
    for dataset in RAW_DATASETS:
        own = dataset.columns if dataset.name in WAREHOUSE_BOOKKEEPING else _metadata(dataset)
        yield from _loaded(dataset, [column for column in dataset.columns if column not in own])
        yield from _own(dataset, own)


def _metadata(dataset: Dataset) -> list[Column]:
    known = {column.name for column in LOAD_METADATA}
    return [column for column in dataset.columns if column.name in known]


def _loaded(dataset: Dataset, columns: list[Column]) -> Iterator[Derivation]:
    if columns:
        is_log = dataset.name in TABLES
        lake, there = (as_change(TABLES[dataset.name]).name, in_landing) if is_log else (dataset.name, lake_name)
        yield from copies(f"raw.{dataset.name}", f"lake.{lake}", {c.name: there(c.name) for c in columns}, BATCH)


def _own(dataset: Dataset, columns: Iterable[Column]) -> Iterator[Derivation]:
    for column in columns:
        reason = column.description or f"bookkeeping: {dataset.description}"
        yield Derivation(Field(f"raw.{dataset.name}", column.name), (), BATCH, reason=reason)
    if dataset.name in WAREHOUSE_BOOKKEEPING:
        yield Derivation(Field(f"raw.{dataset.name}", ROWS), (), BATCH, reason=dataset.description)

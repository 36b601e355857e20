"""From the shop to the lake: read from the connectors' own files, columns from the contracts."""

from collections.abc import Iterator, Mapping

from concord.contracts.events import EVENTS
from concord.contracts.model import Dataset
from concord.contracts.names import CDC_CONNECTOR, EVENTS_TOPIC, cdc_topic
from concord.contracts.tables import CDC_METADATA, POSITION_COLUMNS, TABLES, as_change, lake_name
from concord.errors import Misconfigured
from concord.lineage.graph import ROWS, Derivation, Field, copies, same

Config = Mapping[str, str]

INSERTED = "transforms.position.{}.field"
POSITION_PARTS = ("topic", "partition", "offset", "timestamp")
PRODUCER = "clickstream producer"
DOCUMENT = "value"
"""Column of the landed bytes."""
DOCUMENT_COLUMNS = tuple(column.name for column in EVENTS.columns if column not in POSITION_COLUMNS)
EVENTS_RECORDS = f"kafka.{EVENTS_TOPIC}"


def in_document(column: str) -> str:
    """A field of the documents that are carried as bytes, in Snowflake's notation for a path."""
    return f"{DOCUMENT}:{column}"


def in_landing(column: str) -> str:
    """A column of a change, where it lies in the lake's log."""
    is_position = any(column == each.name for each in POSITION_COLUMNS)
    return lake_name(column) if is_position else in_document(column)


def from_connectors(connectors: Mapping[str, Config]) -> Iterator[Derivation]:
    """Every topic that the source connector writes, the clickstream's, and every lake table that a sink writes."""
    yield from _captured(CDC_CONNECTOR, connectors[CDC_CONNECTOR])
    yield from _clickstream()
    for name, config in connectors.items():
        if "iceberg.tables" in config:
            yield from _landed(name, config)


def _captured(name: str, config: Config) -> Iterator[Derivation]:
    added = {f"__{field.replace('.', '_')}" for field in config["transforms.unwrap.add.fields"].split(",")}
    for qualified in config["table.include.list"].split(","):
        table = TABLES.get(qualified.split(".")[1])
        if table is None:
            continue  # fences order the stream; they are no data
        topic = f"kafka.{config['topic.prefix']}.{qualified}"
        yield from copies(topic, f"postgres.{table.name}", same(table.names), name)
        yield from _metadata(topic, table, added, name)
        yield from _position(topic)


def _metadata(topic: str, table: Dataset, added: set[str], step: str) -> Iterator[Derivation]:
    for column in CDC_METADATA:
        if column.name in added:
            rows = (Field(f"postgres.{table.name}", ROWS),)
            yield Derivation(Field(topic, column.name), rows, step, column.description)


def _position(topic: str) -> Iterator[Derivation]:
    for column in POSITION_COLUMNS:
        yield Derivation(Field(topic, column.name), (), "Kafka", reason=f"Kafka: {column.description}")


def _clickstream() -> Iterator[Derivation]:
    sent = {in_document(name): name for name in DOCUMENT_COLUMNS}
    yield from copies(EVENTS_RECORDS, "clickstream.events", {**sent, DOCUMENT: ROWS}, PRODUCER)
    yield from _position(EVENTS_RECORDS)


def _landed(name: str, config: Config) -> Iterator[Derivation]:
    """One sink: the record as it came, and the position that its transform inserts."""
    topic, table = f"kafka.{config['topics']}", f"lake.{config['iceberg.tables'].split('.')[1]}"
    inserted = {config[INSERTED.format(part)]: f"_{part}" for part in POSITION_PARTS}
    yield from copies(table, topic, {**_carried(name, config), **inserted}, name)


def _carried(name: str, config: Config) -> Mapping[str, str]:
    """What the landed bytes hold → its name in the records of the sink's topic."""
    if config["topics"] == EVENTS_TOPIC:
        return same((DOCUMENT, *map(in_document, DOCUMENT_COLUMNS)))
    landed = {cdc_topic(table): as_change(table) for table in TABLES.values()}
    if config["topics"] not in landed:
        raise Misconfigured(f"connector {name}: no contract for the topic {config['topics']}")
    columns = [column for column in landed[config["topics"]].columns if column not in POSITION_COLUMNS]
    return {DOCUMENT: ROWS, **{in_document(column.name): column.name for column in columns}}

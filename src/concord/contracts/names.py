"""Names that more than one engine must spell alike."""

from concord.contracts.model import Dataset

CDC_TOPIC_PREFIX = "ecommerce"
EVENTS_TOPIC = "ecommerce.events.v1"
DEAD_LETTER_TOPIC = f"dlq.{EVENTS_TOPIC}"
FENCE_TOPIC = f"{CDC_TOPIC_PREFIX}.public.fence"
MAX_MESSAGE_BYTES = 4 << 20
"""Of a batch of the events topic as the broker keeps it. A record alone in its batch may be as large before it is
compressed, and any number of times larger if it compresses well."""
MAX_DEAD_LETTER_BYTES = MAX_MESSAGE_BYTES + (64 << 10)
"""The same of the dead-letter topic: a copy has a key and headers of its own."""
TOPIC_PARTITIONS = 4
"""Fixed for a topic's life: a key must never change partition."""

CHANGES_QUERY = "speed.changes"
EVENTS_QUERY = "speed.events"
"""The speed layer's streaming queries, as positions, logs and metrics name them."""

LAKE_NAMESPACE = "ecommerce"
EVENTS_LANDING = "events_landing"
SPEED_DATABASE = "ecommerce"
HELD_POSITION = "concord.position"
"""Property of a table of the lake that batches write: ``{"snapshot": id, "position": {topic: {partition: offset}}}``."""

CDC_CONNECTOR = "postgres-shop-source"
REPLICATION_SLOT = "concord_shop"
PUBLICATION = "concord_shop"

OWNER_ROLE = "shop"
"""PostgreSQL role that owns the tables and writes orders."""
CDC_ROLE = "concord_cdc"
"""PostgreSQL role of the connector: replication and select, nothing else."""


def cdc_topic(table: Dataset) -> str:
    """Debezium's own name: prefix, schema, table."""
    return f"{CDC_TOPIC_PREFIX}.public.{table.name}"

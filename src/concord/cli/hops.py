"""Rows and lag hop by hop, and the position each layer holds: what ``status`` and ``demo`` show."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table

from concord import bootstrap
from concord.cli.output import table
from concord.contracts.events import EVENTS_LANDING
from concord.contracts.names import CDC_TOPIC_PREFIX, EVENTS_TOPIC, cdc_topic
from concord.contracts.position import Position
from concord.contracts.tables import TABLES, as_change
from concord.reconcile.conserve import Flow, flows
from concord.settings import Settings

TOPICS = (*(cdc_topic(source) for source in TABLES.values()), EVENTS_TOPIC)
LANDED = {
    **{cdc_topic(source): as_change(source).name for source in TABLES.values()},
    EVENTS_TOPIC: EVENTS_LANDING.name,
}


def lake_position(settings: Settings, topics: Sequence[str] = TOPICS) -> Position:
    """What the lake holds of the topics."""
    store = bootstrap.lake(settings)
    position = Position()
    for topic in topics:
        position = position.merge(store.position(LANDED[topic]))
    return position


def positions(settings: Settings) -> dict[str, Position]:
    """The position that each stage holds, from Kafka on."""
    publication = bootstrap.snowflake(settings).publication()
    return {
        "Kafka": bootstrap.kafka(settings).end_position(TOPICS),
        "speed layer": bootstrap.clickhouse(settings, "reader").position(),
        "lake": lake_position(settings),
        "batch layer": publication.position if publication else Position(),
    }


def all_flows(settings: Settings) -> tuple[Flow, ...]:
    """Every topic's rows through both layers."""
    return flows(bootstrap.clickhouse(settings, "reader"), bootstrap.lake(settings), bootstrap.snowflake(settings))


def short(topic: str) -> str:
    """What is told apart of a topic's name."""
    return topic.removeprefix(f"{CDC_TOPIC_PREFIX}.").removeprefix("public.")


def flow_table(found: Sequence[Flow]) -> Table:
    """Rows per hop."""
    columns = ("topic", "read", "stored", "dead", "copies", "late", "at rest", "lake", "RAW")
    rows = [(short(f.topic), f.read, f.stored, f.dead, f.duplicate, f.late, f.at_rest, f.lake, _raw(f)) for f in found]
    return table("Rows per hop (RAW + what the batch layer set aside)", columns, rows)


def _raw(flow: Flow) -> str:
    return f"{flow.raw:,} + {flow.set_aside:,}"


def position_table(held: dict[str, Position]) -> Table:
    """Last offsets held per topic, one number per partition, and how many records each stage is behind Kafka."""
    end = held["Kafka"]
    rows = [(short(topic), *(_stage(position, end, topic) for position in held.values())) for topic in TOPICS]
    return table("Position: last offset held per partition (and lag)", ("topic", *held), rows)


def _stage(position: Position, end: Position, topic: str) -> str:
    offsets = {partition: offset for _, partition, offset in position.of_topic(topic)}
    if not offsets:
        return "–"
    behind = position.of_topic(topic).behind(end.of_topic(topic))
    lag = sum(end[key] - offset for key, offset in behind.offsets.items())
    return " ".join(str(offset) for offset in offsets.values()) + (f" (−{lag})" if lag else "")


def document(settings: Settings) -> dict[str, Any]:
    """Hops and positions in JSON's types."""
    return {
        "flows": [asdict(flow) for flow in all_flows(settings)],
        "positions": {name: position.as_json() for name, position in positions(settings).items()},
    }

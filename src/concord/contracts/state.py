"""A table's state at a position, as far as every engine says it in the same words."""

from concord.contracts.model import Dataset
from concord.contracts.position import Position

STATE_METADATA = ("_topic", "_partition", "_offset", "__source_lsn")
"""What a row of current state says about the change that made it."""


def state_columns(table: Dataset) -> tuple[str, ...]:
    """What a query for the table's state returns, in order."""
    return (*table.names, *STATE_METADATA)


def held_by(position: Position) -> str:
    """The predicate that a row at or below ``position`` meets; false where nothing is held."""
    bounds = [f"(_topic = '{topic}' and _partition = {part} and _offset <= {last})" for topic, part, last in position]
    return f"({' or '.join(bounds)})" if bounds else "false"

"""What goes from the lake into RAW: the change logs, and what the batch layer made of the clickstream."""

from dataclasses import dataclass

from concord.contracts.derived import DEAD_LETTERS, RAW_DEAD_LETTERS
from concord.contracts.events import EVENTS, RAW_EVENTS
from concord.contracts.model import Dataset
from concord.contracts.names import EVENTS_TOPIC, LAKE_NAMESPACE, cdc_topic
from concord.contracts.tables import TABLES, as_landed, as_raw
from concord.gateways.lake import SPARK_CATALOG
from concord.landed.changes import FAULT


@dataclass(frozen=True)
class Feed:
    """Rows of one topic: a table of the lake (``lake``, by its names elsewhere) and the one of RAW that takes them.

    ``table``: what lies in the lake are change records of it, still to be judged; what is no row of it is a dead letter.
    """

    topic: str
    lake: Dataset
    raw: Dataset
    table: Dataset | None = None

    @property
    def name(self) -> str:
        return self.raw.name

    @property
    def carried(self) -> tuple[str, ...]:
        """The columns that go over, in RAW's order."""
        return tuple(name for name in self.raw.names if name in self.lake.names)

    @property
    def staged(self) -> tuple[str, ...]:
        """The columns of the load table: RAW's, and of change records what is wrong with them."""
        return (*self.raw.names, *(column.name for column in FAULT)) if self.table else self.raw.names


CHANGE_FEEDS = tuple(Feed(cdc_topic(table), as_landed(table), as_raw(table), table) for table in TABLES.values())
EVENT_FEEDS = (Feed(EVENTS_TOPIC, EVENTS, RAW_EVENTS), Feed(EVENTS_TOPIC, DEAD_LETTERS, RAW_DEAD_LETTERS))
"""Both are filled by this very batch, from what has landed."""


def spark_name(dataset: Dataset) -> str:
    """The lake's table in Spark SQL."""
    return f"{SPARK_CATALOG}.{LAKE_NAMESPACE}.{dataset.name}"

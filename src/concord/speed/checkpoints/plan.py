"""What each query's rows follow from: what a start must find as it was."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyspark

from concord.contracts.behaviour import BEHAVIOUR, ENRICHED_EVENTS, LATENESS_SECONDS
from concord.contracts.model import Dataset
from concord.contracts.names import CHANGES_QUERY, EVENTS_QUERY
from concord.contracts.tables import TABLES, as_change
from concord.gateways.kafka import Kafka
from concord.rules.sessions import DEFINITION, INACTIVITY_MS
from concord.speed.checkpoints.made_with import MadeWith, columns_of


@dataclass(frozen=True)
class Plan:
    """``is_ordered_by_partition``: rows of one key follow from their order within a partition.

    No query keeps state in Spark, so the number of shuffle partitions may be anything.
    """

    tables: Sequence[Dataset]
    definitions: Mapping[str, int]
    is_ordered_by_partition: bool


PLANS: Mapping[str, Plan] = {
    CHANGES_QUERY: Plan([as_change(table) for table in TABLES.values()], {}, is_ordered_by_partition=True),
    EVENTS_QUERY: Plan(
        [ENRICHED_EVENTS, *BEHAVIOUR.values()],
        {
            "the lateness bound in seconds": LATENESS_SECONDS,
            "the longest pause of a session in ms": INACTIVITY_MS,
            "the definition of sessions": DEFINITION,
        },
        is_ordered_by_partition=False,
    ),
}


def made_with(kafka: Kafka, query: str, topics: Sequence[str]) -> MadeWith:
    """What a checkpoint would be made with now. Raises :class:`Misconfigured` for a topic that is not there."""
    plan = PLANS[query]
    return MadeWith(
        spark=pyspark.__version__,
        topics=kafka.described(topics),
        definitions=plan.definitions,
        columns=columns_of(plan.tables),
    )

"""The whole graph: what connectors, streaming queries, the batch and dbt's models do, in one naming."""

from collections.abc import Mapping
from itertools import chain

from concord.lineage import layers
from concord.lineage.capture import Config, from_connectors
from concord.lineage.graph import Graph
from concord.lineage.models import Models


def graph(connectors: Mapping[str, Config], models: Models) -> Graph:
    """Every column that is derived from another, in the order in which data flow; the speed layer's are last, for it
    takes from what the batch has published."""
    return Graph.of(
        chain(
            from_connectors(connectors),
            layers.judged(),
            layers.mirrors(),
            layers.documents(),
            layers.metrics(),
            layers.load(),
            models.derivations(),
            layers.speed(),
        )
    )

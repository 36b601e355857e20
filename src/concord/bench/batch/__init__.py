"""The batch layer measured: sink, connector, mirrors, models, compaction, and the same figures by DuckDB alone."""

from collections.abc import Iterable
from enum import StrEnum


class Step(StrEnum):
    """What is measured. Without ``sink`` the lake is filled directly; a ``day`` follows on a ``batch``."""

    SINK = "sink"
    BATCH = "batch"
    DAY = "day"
    MERGE = "merge"
    COMPACTION = "compaction"


class Peer(StrEnum):
    """What somebody would take on one machine who wants dbt and the models as they are."""

    DBT_DUCKDB = "dbt-duckdb"


def with_needed(steps: Iterable[Step]) -> frozenset[Step]:
    """All of them if none is named."""
    chosen = frozenset(steps) or frozenset(Step)
    return chosen | {Step.BATCH} if Step.DAY in chosen else chosen

"""The account's own record of what its warehouses worked on."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from concord.contracts.warehouse import WAREHOUSES, Size
from concord.gateways.snowflake import Snowflake
from concord.rules.warehouse_cost import Statement

QUERY = (
    "select warehouse_name, warehouse_size, query_type, role_name, start_time, end_time, "
    "partitions_scanned, partitions_total, "
    "bytes_spilled_to_local_storage + bytes_spilled_to_remote_storage as spilled_bytes "
    "from SNOWFLAKE.ACCOUNT_USAGE.QUERY_HISTORY "
    "where cluster_number is not null and start_time >= %s and start_time < %s order by start_time"
)
"""A statement without a cluster was answered from metadata and costs nothing. An account is up to 45 minutes behind."""

DECLARED = {each.name: each.size for each in WAREHOUSES}


def statements(warehouse: Snowflake, since: datetime, until: datetime) -> list[Statement]:
    """Everything that a warehouse worked on and that has ended, oldest first."""
    found = warehouse.records(QUERY, (_naive(since), _naive(until)))
    return [_statement(record) for record in found if record["end_time"] and record["warehouse_name"]]


def size_of(name: str, found: Sequence[Statement]) -> Size:
    """As the account says; where it does not, as declared."""
    known = [statement.size for statement in found if statement.size]
    return known[-1] if known else DECLARED.get(name, Size.XSMALL)


def _statement(record: Mapping[str, Any]) -> Statement:
    size = record["warehouse_size"]
    return Statement(
        warehouse=record["warehouse_name"],
        begun_at=record["start_time"],
        ended_at=record["end_time"],
        kind=record["query_type"],
        role=record["role_name"] or "",
        size=_size(size) if size else None,
        partitions_scanned=record["partitions_scanned"],
        partitions_total=record["partitions_total"],
        spilled_bytes=record["spilled_bytes"],
    )


def _size(name: str) -> Size | None:
    """The account writes `X-Small`, `2X-Large`. A size that has no price here is not guessed."""
    spelled = name.upper().replace("-", "").replace("2X", "XX")
    return Size(spelled) if spelled in list(Size) else None


def _naive(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(tzinfo=None)

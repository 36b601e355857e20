"""The typed canonical form in which rows of three engines are compared.

Only integers and text are left: decimals become their unscaled integer, instants milliseconds since
1970 in UTC, dates days, booleans 0 or 1, identifiers lower-case text with hyphens. Nothing is rendered by an engine, so no engine's way of
writing a number, a zone or a trailing zero can look like a difference.
"""

from collections.abc import Callable

from concord.contracts.model import Column
from concord.contracts.types import Boolean, Date, Decimal, Instant, LogicalType, Uuid

Expression = Callable[[str, LogicalType], str]


def postgres(name: str, kind: LogicalType) -> str:
    """The column's canonical form in PostgreSQL."""
    match kind:
        case Decimal(_, scale):
            return f"({name} * {10**scale})::bigint"
        case Instant():
            return f"(extract(epoch from {name}) * 1000)::bigint"
        case Date():
            return f"({name} - date '1970-01-01')::bigint"
        case Boolean():
            return f"{name}::int::bigint"
        case _:
            return name


def clickhouse(name: str, kind: LogicalType) -> str:
    """The column's canonical form in ClickHouse."""
    match kind:
        case Decimal(_, scale):
            return f"toInt64({name} * {10**scale})"
        case Instant():
            return f"toUnixTimestamp64Milli({name})"
        case Date():
            return f"toInt64({name})"
        case Boolean():
            return f"toInt64({name})"
        case Uuid():
            return f"toString({name})"
        case _:
            return name


def snowflake(name: str, kind: LogicalType) -> str:
    """The column's canonical form in Snowflake."""
    match kind:
        case Decimal(_, scale):
            return f"({name} * {10**scale})::number(38, 0)"
        case Instant():
            return f"date_part(epoch_millisecond, {name})"
        case Date():
            return f"datediff(day, '1970-01-01'::date, {name})"
        case Boolean():
            return f"{name}::int"
        case _:
            return name


def select_list(columns: tuple[Column, ...], expression: Expression) -> str:
    """The canonical form of every column under the column's own name."""
    return ", ".join(f"{expression(column.name, column.type)} as {column.name}" for column in columns)

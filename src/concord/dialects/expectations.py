"""Expectations as SQL. Written once, as Snowflake reads it; sqlglot spells it for other engines.

A dataset is read under the name ``checked_<dataset>``: whoever asks says what that is at his layer.
"""

from concord.contracts.expectations import (
    Above,
    AtLeast,
    Expectation,
    Filled,
    Matches,
    MatchesNot,
    Measure,
    NoneOf,
    NotBefore,
    OneOf,
    Refers,
    Rule,
    Statistic,
    SumsUp,
    Unique,
)
from concord.contracts.model import Column, Dataset
from concord.contracts.types import Category, Instant, LogicalType, Text

ENGINE = "snowflake"
SECONDS = "'YYYY-MM-DD HH24:MI:SS'"


def relation(dataset: str) -> str:
    """The name under which a dataset is checked."""
    return f"checked_{dataset}"


def violations(rule: Rule, dataset: Dataset, of: Column, shown: Column) -> str:
    """Rows (rule, dataset, row_key, value, expected) that break the rule; ``of`` is the column it speaks of, ``shown``
    the one whose value is kept, unless it is personal."""
    key = " || '-' || ".join(f"coalesce(cast(row_.{name} as varchar), 'null')" for name in dataset.key)
    value = "cast(null as varchar)" if shown.personal else _text(f"{_holder(rule)}.{shown.name}", shown.type)
    expected = "cast(lines.total as varchar)" if isinstance(rule.expectation, SumsUp) else "cast(null as varchar)"
    return (
        f"select '{rule.name}' as rule, '{rule.dataset}' as dataset, {key} as row_key, {value} as value, "
        f"{expected} as expected from {_source(rule)} where {_is_broken(rule, of)}"
    )


def _holder(rule: Rule) -> str:
    return "parent" if rule.through else "row_"


def _source(rule: Rule) -> str:
    own = f"{relation(rule.dataset)} as row_"
    if rule.through:
        return f"{own} inner join {relation(rule.through.table)} as parent on row_.{rule.through.reference} = parent.id"
    match rule.expectation:
        case Unique(columns):
            counted = f"count(*) over (partition by {', '.join(columns)}) as copies"
            filled = " and ".join(f"{name} is not null" for name in columns)
            return f"(select *, {counted} from {relation(rule.dataset)} where {filled}) as row_"
        case Refers(table):
            return f"{own} left join {relation(table)} as referred on row_.{rule.column} = referred.id"
        case SumsUp(table, reference, factors):
            total = f"cast(sum({' * '.join(factors)}) as decimal(38, 2))"
            lines = f"select {reference}, {total} as total from {relation(table)} group by {reference}"
            return f"{own} left join ({lines}) as lines on row_.id = lines.{reference}"
        case _:
            return own


def _is_broken(rule: Rule, of: Column) -> str:
    value = f"{_holder(rule)}.{rule.column}"
    match rule.expectation:
        case Filled():
            is_text = isinstance(of.type, Text | Category)
            return f"coalesce(trim({value}), '') = ''" if is_text else f"{value} is null"
        case Unique():
            return "row_.copies > 1"
        case Refers():
            return f"{value} is not null and referred.id is null"
        case SumsUp():
            return f"{value} <> coalesce(lines.total, 0)"
        case NotBefore(column):
            return f"{value} < row_.{column}"
        case _:
            return f"not ({_is_met(value, rule.expectation)})"


def _is_met(value: str, expectation: Expectation) -> str:
    """Null where the value is null, so that its negation is not true either."""
    match expectation:
        case Matches(pattern):
            return _matches(value, pattern)
        case MatchesNot(pattern):
            return f"not {_matches(value, pattern)}"
        case OneOf(values):
            return f"{value} in ({_quoted(values)})"
        case NoneOf(values):
            return f"{value} not in ({_quoted(values)})"
        case AtLeast(bound):
            return f"{value} >= {bound}"
        case Above(bound):
            return f"{value} > {bound}"
        case _:
            raise TypeError(f"{expectation} does not speak of one value")


def _matches(value: str, pattern: str) -> str:
    """With a full stop behind both: Java's ``$`` also stands before a last line end."""
    return f"regexp_like({value} || '.', '{pattern.removesuffix('$')}[.]$')"


def _quoted(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def _text(value: str, kind: LogicalType) -> str:
    """The same text in every engine: their own texts of an instant differ."""
    return (
        f"to_varchar({value}::timestamp_ntz, {SECONDS})" if isinstance(kind, Instant) else f"cast({value} as varchar)"
    )


def daily(measure: Measure) -> str:
    """Rows (day, figure), the figure a decimal; days without rows are not there."""
    return (
        f"select to_date(created_at) as day, cast({_statistic(measure)} as decimal(38, 6)) as figure "
        f"from {relation(measure.dataset)} group by to_date(created_at)"
    )


def _statistic(measure: Measure) -> str:
    column = measure.column
    match measure.statistic:
        case Statistic.ROWS:
            return "count(*)"
        case Statistic.SUM:
            return f"sum({column})"
        case Statistic.MEAN:
            return f"avg({column})"
        case Statistic.SHARE_NULL:
            return f"avg(case when {column} is null then 1.0 else 0.0 end)"
        case Statistic.SHARE_EQUAL:
            return f"avg(case when {column} = '{measure.value}' then 1.0 else 0.0 end)"

"""What failed dbt's tests in the last build: dbt keeps it as one view per test, over the working copies."""

from dataclasses import dataclass

from concord.errors import Misconfigured
from concord.gateways.snowflake import Snowflake

SCHEMA = "TEST_FAILURES"


@dataclass(frozen=True)
class Failures:
    """A test and how many rows fail it now."""

    test: str
    rows: int


def failures(warehouse: Snowflake) -> list[Failures]:
    """Every test that keeps its failures, those with most first."""
    tests = _tests(warehouse)
    if not tests:
        return []
    counts = " union all ".join(f"select '{test}' as test, count(*) as failing from {SCHEMA}.{test}" for test in tests)
    rows = warehouse.query(f"select test, failing from ({counts}) as counted order by failing desc, test")
    return [Failures(test, failing) for test, failing in rows]


def failing(warehouse: Snowflake, test: str, limit: int) -> tuple[list[str], list[tuple[object, ...]]]:
    """Columns and rows that fail one test. Raises :class:`Misconfigured` if it keeps none."""
    if test not in _tests(warehouse):
        raise Misconfigured(f"{test}: no test of that name keeps its failures", "concord quality failures")
    return warehouse.answer(f"select * from {SCHEMA}.{test} limit {limit}")


def _tests(warehouse: Snowflake) -> list[str]:
    rows = warehouse.query(
        f"select lower(table_name) from information_schema.tables where table_schema = '{SCHEMA}' order by 1"
    )
    return [name for (name,) in rows]

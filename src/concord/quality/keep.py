"""What a check found goes into the warehouse, in one transaction per batch and layer: run again, it replaces itself."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from concord.contracts.derived import PUBLICATIONS
from concord.contracts.expectations import QUALITY_SCHEMA, RESULTS, SERIES, VIOLATIONS
from concord.contracts.model import Dataset
from concord.contracts.position import Publication
from concord.gateways.snowflake import Snowflake
from concord.quality import layers
from concord.quality.check import Measured, Odd, Result, age_all, measure_all, odd_ones, results
from concord.quality.stores import Store

KEPT = 10
"""Batches whose violations are kept row by row. Their results are kept for ever."""


def check(store: Store, warehouse: Snowflake, publication: Publication, now: datetime) -> list[Result]:
    """Hold one layer to its rules at a batch's position, and keep what was found."""
    store.prepare(publication)
    counts = {name: int(rows) for name, rows in store.query(layers.counts(store.layer))}
    measured, aged = measure_all(store, publication), age_all(store, publication)
    relation = store.in_warehouse(layers.violations(store.layer))
    where = (publication.batch_id, str(store.layer))
    with warehouse.transaction():
        _forget(warehouse, where)
        _keep_violations(warehouse, where, relation, list(odd_ones(measured, aged)))
        found = results(store.layer, counts, broken(warehouse, where), measured, aged)
        _insert(warehouse, RESULTS, [_row(where, result, now) for result in found])
        _insert(warehouse, SERIES, [_series(where, each) for each in measured])
        _drop_old(warehouse)
    return found


def broken(warehouse: Snowflake, where: tuple[str, str]) -> Counter[str]:
    """Violations by rule, counted from what is kept."""
    counted = f"select rule, count(*) from {_name(VIOLATIONS)} where batch_id = %s and layer = %s group by rule"
    return Counter({rule: int(rows) for rule, rows in warehouse.query(counted, where)})


def _forget(warehouse: Snowflake, where: tuple[str, str]) -> None:
    for dataset in (VIOLATIONS, RESULTS, SERIES):
        warehouse.execute(f"delete from {_name(dataset)} where batch_id = %s and layer = %s", where)


def _keep_violations(warehouse: Snowflake, where: tuple[str, str], relation: str, odd: Sequence[Odd]) -> None:
    columns = "rule, dataset, row_key, value, expected"
    warehouse.execute(
        f"insert into {_name(VIOLATIONS)} (batch_id, layer, {columns}) "
        f"select '{where[0]}', '{where[1]}', {columns} from {relation} as found"
    )
    _insert(
        warehouse, VIOLATIONS, [(*where, each.rule, each.dataset, each.key, each.value, each.expected) for each in odd]
    )


def _drop_old(warehouse: Snowflake) -> None:
    newest = f"select batch_id from RAW.{PUBLICATIONS.name} order by published_at desc, batch_id desc limit {KEPT}"
    warehouse.execute(f"delete from {_name(VIOLATIONS)} where batch_id not in (select batch_id from ({newest}))")


def _row(where: tuple[str, str], result: Result, now: datetime) -> tuple[object, ...]:
    kinds = (str(result.dimension), str(result.severity))
    counts = (result.rows_checked, result.violations)
    return (*where, result.rule, result.dataset, *kinds, *counts, now.astimezone(UTC).replace(tzinfo=None))


def _series(where: tuple[str, str], each: Measured) -> tuple[object, ...]:
    return (*where, each.measure.name, each.document())


def _insert(warehouse: Snowflake, dataset: Dataset, rows: Sequence[tuple[object, ...]]) -> None:
    marks = ", ".join(["%s"] * len(dataset.names))
    warehouse.execute_many(f"insert into {_name(dataset)} ({', '.join(dataset.names)}) values ({marks})", rows)


def _name(dataset: Dataset) -> str:
    return f"{QUALITY_SCHEMA}.{dataset.name}"

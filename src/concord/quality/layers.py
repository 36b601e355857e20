"""What a layer holds of each dataset, and which rules can be checked there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from concord.contracts.derived import STAGING
from concord.contracts.expectations import Layer, Measure, Rule
from concord.contracts.model import Column, Dataset
from concord.contracts.names import cdc_topic
from concord.contracts.position import Publication
from concord.contracts.state import held_by
from concord.contracts.tables import TABLES, as_change
from concord.dialects import expectations, snowflake
from concord.rules.data_quality import MEASURES, RULES

LOGS = {as_change(table).name: as_change(table) for table in TABLES.values()}
HOLDS: Mapping[Layer, Mapping[str, Dataset]] = {
    Layer.LAKE: {**TABLES, **LOGS},
    Layer.RAW: {**TABLES, **LOGS},
    Layer.STAGING: {name: STAGING[f"{name}_enhanced"] for name in TABLES},
}
"""Datasets by the name that rules know them by."""

RECEIVED, BUILT = "_timestamp", "processed_at"


@dataclass(frozen=True)
class Subject:
    """A dataset at a layer: the query, in Snowflake's words, for what is checked."""

    dataset: str
    query: str


def rules(layer: Layer) -> list[Rule]:
    """Those whose columns the layer has."""
    return [rule for rule in RULES.values() if has(layer, rule.needs())]


def measures(layer: Layer) -> list[Measure]:
    return [measure for measure in MEASURES.values() if has(layer, measure.needs())]


def has(layer: Layer, needed: Mapping[str, set[str]]) -> bool:
    there = HOLDS[layer]
    return all(dataset in there and columns <= {*there[dataset].names} for dataset, columns in needed.items())


def violations(layer: Layer) -> str:
    """Every row that breaks a rule of the layer, one query for all of them."""
    return " union all ".join(_violations(layer, rule) for rule in rules(layer))


def _violations(layer: Layer, rule: Rule) -> str:
    of = column_of(layer, rule)
    return expectations.violations(rule, HOLDS[layer][rule.dataset], of, _shown(layer, rule, of))


def column_of(layer: Layer, rule: Rule) -> Column:
    """The column that the rule speaks of, its own or its parent's."""
    return _holder(layer, rule)[rule.column]


def _holder(layer: Layer, rule: Rule) -> Dataset:
    return HOLDS[layer][rule.through.table if rule.through else rule.dataset]


def _shown(layer: Layer, rule: Rule, of: Column) -> Column:
    """The column whose value is kept; the rule's own where the layer lacks it."""
    holder = _holder(layer, rule)
    return holder[rule.shows] if rule.shows in holder.names else of


def from_log(publication: Publication, relation_of: Mapping[str, str]) -> Iterator[Subject]:
    """State and change log of each table at the batch's position, out of the relations that hold the logs."""
    for table in TABLES.values():
        held = held_by(publication.position.of_topic(cdc_topic(table)))
        log = relation_of[table.name]
        yield Subject(table.name, snowflake.state_query(table, log, held))
        columns = ", ".join(("__op", *LOGS[as_change(table).name].key, RECEIVED))
        yield Subject(as_change(table).name, f"select {columns} from {log} where {held}")


def from_staging() -> Iterator[Subject]:
    """What readers see."""
    for name, dataset in HOLDS[Layer.STAGING].items():
        yield Subject(name, f"select * from STAGING.{dataset.name}")


def newest(layer: Layer, dataset: str) -> str:
    """When the newest row of a dataset came: by Kafka's receipt, or by the time that the models took."""
    if layer is Layer.STAGING:
        return f"select max({BUILT}) from {expectations.relation(dataset)}"
    return f"select max({RECEIVED}) from {expectations.relation(as_change(TABLES[dataset]).name)}"


def counts(layer: Layer) -> str:
    """Rows (dataset, rows) of everything that is checked."""
    return " union all ".join(
        f"select '{name}' as dataset, count(*) as rows_checked from {expectations.relation(name)}"
        for name in HOLDS[layer]
    )

"""What is kept of the checks, as one document: per rule and layer now, over the batches before, with examples."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from concord.contracts.expectations import QUALITY_SCHEMA, RESULTS, SERIES, VIOLATIONS, Layer, Severity
from concord.contracts.model import Dataset
from concord.gateways.snowflake import Snowflake
from concord.rules.data_quality import CHECKS

EXAMPLES = 5
TREND_BATCHES = 30

Document = dict[str, Any]
Records = Sequence[Mapping[str, Any]]


def document(warehouse: Snowflake, batch_id: str) -> Document:
    """Everything that a report says of one batch, in JSON's types; no rule where the batch was not checked."""
    history = _history(warehouse)
    batches = list(dict.fromkeys(row["batch_id"] for row in history))
    upto = batches[: batches.index(batch_id) + 1][-TREND_BATCHES:] if batch_id in batches else []
    now = [row for row in history if row["batch_id"] == batch_id]
    examples = _examples(warehouse, batch_id)
    found = [_rule(name, now, history, upto, examples) for name in _names(now)]
    return {
        "batch_id": batch_id,
        "checked_at": max((row["checked_at"] for row in now), default=None),
        "layers": [layer for layer in map(str, Layer) if any(row["layer"] == layer for row in now)],
        "failed": [rule["rule"] for rule in found if rule["has_failed"]],
        "disagreeing": [rule["rule"] for rule in found if rule["layers_disagree"]],
        "rules": found,
        "trend_batches": upto,
        "series": _series(warehouse, batch_id),
    }


def _history(warehouse: Snowflake) -> list[dict[str, Any]]:
    """Every result of every batch, in the order of publication."""
    return warehouse.records(
        f"select results.*, published_at from {_name(RESULTS)} as results "
        "inner join RAW.publications as published on published.batch_id = results.batch_id "
        "order by published_at, results.batch_id, layer, rule"
    )


def _names(rows: Records) -> Iterable[str]:
    """In the order of declaration; rules that are declared no more come last."""
    found = {row["rule"] for row in rows}
    return [*(name for name in CHECKS if name in found), *sorted(found - {*CHECKS})]


def _rule(
    name: str, now: Records, history: Records, upto: Sequence[str], examples: Mapping[str, list[Any]]
) -> Document:
    own = {row["layer"]: row for row in now if row["rule"] == name}
    first = next(iter(own.values()))
    layers = {
        layer: {"rows_checked": int(own[layer]["rows_checked"]), "violations": int(own[layer]["violations"])}
        for layer in map(str, Layer)
        if layer in own
    }
    counts = {layer: figures["violations"] for layer, figures in layers.items()}
    is_critical = first["severity"] == Severity.CRITICAL
    return {
        "rule": name,
        "dataset": first["dataset"],
        "dimension": first["dimension"],
        "severity": first["severity"],
        "description": CHECKS[name].description if name in CHECKS else "",
        "layers": layers,
        "violations": max(counts.values()),
        "has_failed": is_critical and any(counts.values()),
        "layers_disagree": _disagree(counts),
        "trend": {layer: _trend(name, layer, history, upto) for layer in layers},
        "examples": examples.get(name, []),
    }


def _disagree(counts: Mapping[str, int]) -> bool:
    """At one position, lake and RAW hold the same rows, so the same rows break a rule in both."""
    return {str(Layer.LAKE), str(Layer.RAW)} <= {*counts} and counts[Layer.LAKE] != counts[Layer.RAW]


def _trend(name: str, layer: str, history: Records, upto: Sequence[str]) -> list[int | None]:
    """Violations by batch; None for a batch in which the layer was not checked."""
    known = {r["batch_id"]: int(r["violations"]) for r in history if r["rule"] == name and r["layer"] == layer}
    return [known.get(batch) for batch in upto]


def _examples(warehouse: Snowflake, batch_id: str) -> dict[str, list[Any]]:
    """A few rows of each broken rule, from the first layer in which it is: it has the most columns."""
    rows = warehouse.records(
        "select rule, layer, row_key, value, expected from ("
        "select *, row_number() over (partition by rule, layer order by row_key) as number "
        f"from {_name(VIOLATIONS)} where batch_id = %s) as ranked where number <= {EXAMPLES} order by rule, number",
        (batch_id,),
    )
    first = {row["rule"]: row["layer"] for layer in reversed(Layer) for row in rows if row["layer"] == layer}
    found: dict[str, list[Any]] = {}
    for row in rows:
        if row["layer"] == first[row["rule"]]:
            found.setdefault(row["rule"], []).append({name: row[name] for name in ("row_key", "value", "expected")})
    return found


def _series(warehouse: Snowflake, batch_id: str) -> dict[str, list[Any]]:
    """Days of each measure, from the last layer in which it was measured."""
    rows = warehouse.records(f"select layer, rule, days from {_name(SERIES)} where batch_id = %s", (batch_id,))
    return {row["rule"]: json.loads(row["days"]) for layer in Layer for row in rows if row["layer"] == layer}


def violating(warehouse: Snowflake, batch_id: str, rule: str, limit: int) -> list[dict[str, Any]]:
    """Rows that break a rule, layer by layer."""
    return warehouse.records(
        f"select layer, row_key, value, expected from {_name(VIOLATIONS)} "
        f"where batch_id = %s and rule = %s order by layer, row_key limit {limit}",
        (batch_id, rule),
    )


def _name(dataset: Dataset) -> str:
    return f"{QUALITY_SCHEMA}.{dataset.name}"

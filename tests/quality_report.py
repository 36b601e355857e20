"""A small report, as `concord quality report --json` prints it."""

from typing import Any


def rule(name: str, violations: int, **named: Any) -> dict[str, Any]:
    layers = {layer: {"rows_checked": 10, "violations": violations} for layer in ("lake", "RAW", "STAGING")}
    return {
        "rule": name,
        "dataset": name.split(".")[0],
        "dimension": "validity",
        "severity": "flag",
        "description": "What <it> means & why.",
        "layers": layers,
        "violations": violations,
        "has_failed": False,
        "layers_disagree": False,
        "trend": {layer: [None, violations] for layer in layers},
        "examples": [{"row_key": "4711", "value": "<b>&", "expected": None}] if violations else [],
        **named,
    }


def report(*rules: dict[str, Any]) -> dict[str, Any]:
    return {
        "batch_id": "000002-ab",
        "checked_at": "2026-01-01 12:00:00+00:00",
        "layers": ["lake", "RAW", "STAGING"],
        "failed": [each["rule"] for each in rules if each["has_failed"]],
        "disagreeing": [each["rule"] for each in rules if each["layers_disagree"]],
        "rules": list(rules),
        "trend_batches": ["000001-aa", "000002-ab"],
        "series": {"orders.daily.rows": [["2024-06-01", 5.0, None, None], ["2024-06-02", 50.0, 4.0, 6.0]]},
    }

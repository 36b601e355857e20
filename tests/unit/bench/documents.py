"""Results of the speed layer's benchmarks, as small as the page and the verdicts allow."""

from typing import Any

HOPS = {
    "broker": {"cpu_us_per_event": 4.0},
    "spark": {"cpu_us_per_event": 30.0, "serial_us_per_event": 20.0},
    "clickhouse": {"cpu_us_per_event": 16.0},
}


def figures(**more: Any) -> dict[str, Any]:
    """What every run of the speed layer has."""
    return {
        "records": 12_000_000,
        "fates": {"stored": 12_000_000},
        "generator": {"behind_ms": 300.0},
        "cpu_us_per_event": 50.0,
        "speed_layer_cpu_us_per_event": 50.0,
        "memory_peak_bytes": 7_000_000_000,
        "memory_peak_bytes_by_engine": {"kafka": 1_000_000_000, "clickhouse": 1_000_000_000, "speed": 5_000_000_000},
        "micro_batches": {
            "batches": 300,
            "records_per_batch": 40_000,
            "seconds": {"p50": 1.2, "p95": 1.5},
            "worker_us_per_event": 20.0,
        },
        "moments": [],
        **more,
    }


def paced(rate: float = 20_000, seconds: float = 600, grows: bool = False, **more: Any) -> dict[str, Any]:
    flow = {"held_per_second": rate * 0.97 if grows else rate * 1.001, "largest_lag": 80_000, "is_flat": not grows}
    fresh = {"p50": 2.0, "p95": 2.5, "p99": 4.0, "max": 5.0, "timeline": []}
    run = {"per_second_intended": rate, "burst": None, "flow": flow, "freshness_seconds": fresh}
    return figures(records=rate * seconds, **{**run, **more})


def backlog(**more: Any) -> dict[str, Any]:
    rates = {"records_per_second": 54_000.0, "with_start_per_second": 49_000.0}
    return figures(**{"records": 5_000_000, **rates, **more})


def document(result: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "name": "speed",
        "command": "concord bench speed",
        "measured_at": "2026-01-01T00:00:00+00:00",
        "is_void": False,
        "checks": {"compared": "everything", "differences": []},
        "machine": {"cores": 2, "cpu": "some", "memory_bytes": 1 << 34, "system": "Linux"},
        "load_before": {"load_1m": 0.1, "load_5m": 0.1, "busy_percent": 0.0},
        "settings": {"spark": {"trigger_seconds": 2}},
        "hops": HOPS,
        "result": {"beside": "nothing", "publication": {}, **result},
        **more,
    }

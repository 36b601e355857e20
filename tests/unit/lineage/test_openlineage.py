"""The graph in OpenLineage's words: every column by the name that other tools know it by."""

from datetime import UTC, datetime, timedelta
from typing import Any

from openlineage.client.event_v2 import JobEvent, RunEvent

from concord.lineage.graph import ROWS, Derivation, Field, Graph, copies
from concord.lineage.openlineage import JOBS, Store, as_document, job_events, run_events

AT = datetime(2026, 1, 2, tzinfo=UTC)
STORES = {"postgres": Store("postgres://shop:5432", "shop.public."), "raw": Store("snowflake://acme", "DB.RAW.")}
GRAPH = Graph.of(
    [
        *copies("kafka.orders", "postgres.orders", {"total": "total"}, "source"),
        *copies("raw.orders", "kafka.orders", {"total": "total"}, "load"),
        Derivation(Field("marts.daily", "revenue"), (Field("raw.orders", "total"),), "mart_daily", "sum(total)"),
        Derivation(Field("marts.daily", "orders"), (Field("raw.orders", ROWS),), "mart_daily", "count(*)"),
        Derivation(Field("marts.daily", "built"), (), "mart_daily", "as_of", reason="the batch's time"),
    ]
)


def events() -> dict[str, dict[str, Any]]:
    found = [as_document(event) for event in job_events(GRAPH, STORES, AT)]
    return {event["job"]["name"]: event for event in found}


def test_every_step_is_a_job_with_what_it_reads_and_makes() -> None:
    found = events()
    assert [*found] == ["source", "load", "mart_daily"]
    source = found["source"]
    assert source["job"]["namespace"] == JOBS
    assert [(d["namespace"], d["name"]) for d in source["inputs"]] == [("postgres://shop:5432", "shop.public.orders")]
    assert [(d["namespace"], d["name"]) for d in source["outputs"]] == [("concord://kafka", "orders")]
    assert source["schemaURL"].endswith("JobEvent")


def test_a_copy_is_identity_and_an_expression_is_told() -> None:
    found = events()
    copied = found["load"]["outputs"][0]["facets"]["columnLineage"]["fields"]["total"]["inputFields"]
    assert [(f["namespace"], f["name"], f["field"]) for f in copied] == [("concord://kafka", "orders", "total")]
    assert [t["subtype"] for f in copied for t in f["transformations"]] == ["IDENTITY"]
    facets = found["mart_daily"]["outputs"][0]["facets"]
    (summed,) = facets["columnLineage"]["fields"]["revenue"]["inputFields"]
    assert summed["transformations"] == [{"type": "DIRECT", "subtype": "TRANSFORMATION", "description": "sum(total)"}]
    assert [f["name"] for f in facets["schema"]["fields"]] == ["revenue", "orders", "built"]


def test_counted_rows_bear_on_the_dataset_as_a_whole() -> None:
    (rows,) = events()["mart_daily"]["outputs"][0]["facets"]["columnLineage"]["dataset"]
    assert (rows["namespace"], rows["name"], rows["field"]) == ("snowflake://acme", "DB.RAW.orders", ROWS)
    assert rows["transformations"] == [{"type": "INDIRECT"}]


def test_a_batch_starts_and_completes_each_of_its_jobs_and_told_again_they_are_the_same_runs() -> None:
    told = list(run_events(GRAPH, STORES, "b1", AT, AT + timedelta(seconds=9)))
    assert all(isinstance(event, RunEvent) for event in told)
    assert [(e.job.name, e.eventType.value) for e in told if e.eventType] == [
        ("load", "START"),
        ("load", "COMPLETE"),
        ("mart_daily", "START"),
        ("mart_daily", "COMPLETE"),
    ]
    again = list(run_events(GRAPH, STORES, "b1", AT, AT))
    other = list(run_events(GRAPH, STORES, "b2", AT, AT))
    assert [e.run.runId for e in again] == [e.run.runId for e in told]
    assert not {e.run.runId for e in other} & {e.run.runId for e in told}


def test_events_are_those_of_the_client_that_sends_them() -> None:
    assert all(isinstance(event, JobEvent) for event in job_events(GRAPH, STORES, AT))

"""A batch with its rows in the audit trail: of the whole, and of each table."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from concord.batch import job
from concord.batch.feeds import EVENT_FEEDS
from concord.cli.audited import Noted, audited, hand_in, identity_of
from concord.contracts.audit import Action
from concord.governance.trail import BATCH_RUN
from concord.lineage.graph import Graph
from concord.settings import Settings
from concord.telemetry.timed import Timed


def run_audited(settings: Settings, tools: job.Tools, request: job.Request, steps: Timed) -> job.Outcome:
    """One batch, with its rows in the audit trail: of the whole, and of each table; told to the catalogue of lineage,
    where there is one.
    """
    try:
        with audited(settings, Action.RUN, BATCH_RUN, store="warehouse", identity=identity_of(tools.loader)) as noted:
            outcome = job.run(tools, request, steps.step)
            _note(noted, outcome, steps.seconds)
    finally:
        hand_in(settings)
    if outcome.batch_id:
        _tell(settings, outcome.batch_id, request.now)
    return outcome


def _tell(settings: Settings, batch_id: str, begun_at: datetime) -> None:
    from concord.cli.openlineage import tell_batch  # like the graph, for those who have a catalogue

    def known() -> Graph:
        from concord.cli.lineage import lineage_graph

        return lineage_graph(settings)

    tell_batch(settings, known, batch_id, begun_at)


def _note(noted: Noted, outcome: job.Outcome, seconds: Mapping[str, float]) -> None:
    """Of the whole: what was read from the lake, what RAW did not have yet, what became a dead letter.

    Dead letters of events lie in the lake as rows of their own; changes that are no rows become ones in RAW alone.
    """
    position = outcome.publication.position.as_json() if outcome.publication else None
    events = events_document(outcome)
    dead = sum(one.dead for one in outcome.loaded)
    noted.note(
        batch_id=outcome.batch_id,
        read_at=position,
        rows_in=sum(one.rows_read for one in outcome.loaded) + dead,
        rows_out=sum(one.rows_inserted for one in outcome.loaded),
        rows_rejected=dead + (events["dead"] if events else 0),
    )
    for step, facts in _parts(outcome):
        noted.part(step, seconds.get(step, 0.0), **facts)


def _parts(outcome: job.Outcome) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each step that made rows, by its name. Of events, in less out less rejected were copies."""
    for one in outcome.loaded:
        counts = {"rows_in": one.rows_read + one.dead, "rows_out": one.rows_inserted, "rows_rejected": one.dead}
        yield f"load {one.table}", {"store": "warehouse", **counts}
    for mirrored in outcome.mirrored:
        counts = {"rows_in": mirrored.records, "rows_out": mirrored.changed_keys, "rows_rejected": mirrored.set_aside}
        yield f"mirror {mirrored.table}", {"store": "lake", **counts}
    if events := events_document(outcome):
        counts = {"rows_in": events["records_in"], "rows_out": events["stored"], "rows_rejected": events["dead"]}
        yield "judge events", {"store": "lake", **counts}
    if outcome.built:
        yield "build and test models", {"store": "warehouse"}


def events_document(outcome: job.Outcome) -> dict[str, int] | None:
    """What became of the clickstream's records; None if the batch brought none."""
    if outcome.landed is None:
        return None
    read = {one.table: one.rows_read for one in outcome.loaded}
    stored, dead = (read.get(feed.name, 0) for feed in EVENT_FEEDS)
    return {
        "records_in": outcome.landed.total,
        "stored": stored,
        "dead": dead,
        "duplicate": outcome.landed.copies,
    }

"""A whole micro-batch in one Python task: what a worker does to it, and how its answer comes home."""

import json
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from time import perf_counter
from typing import Any, Protocol

import pyarrow as pa
from pyspark.sql import DataFrame

from concord.dialects.arrow import pieces
from concord.errors import ConcordError, Misconfigured, Unavailable
from concord.speed.quality import KindCount
from concord.speed.receipts import receipts
from concord.speed.records import planned
from concord.speed.tally import Done, Tally


class Work(Protocol):
    """What is done with a micro-batch: with its records as they arrive, and then with all of them."""

    def begin(self, records: pa.Table, /) -> tuple[pa.Table, Any]:
        """Whatever can be done with some of the records, while Spark still writes the others.

        What is kept of the records until all have come, and what was made of them.
        """

    def finish(self, records: pa.Table, begun: Sequence[Any], /) -> Done:
        """The rest, with what was kept of all records and what was made of each part of them."""


Task = Callable[[Iterable[pa.RecordBatch]], Iterable[pa.RecordBatch]]

PART_ROWS, PART_BYTES = 20_000, 32 << 20
"""Of records that are looked at together: enough to be worth a call, few enough to be copied several times.

Spark bounds what it sends at once by the number of records alone, and that number is small because records may be
large.
"""
ANSWER = "answer string"
ARCHIVE = ".zip"
WORKER = "worker_seconds"
"""The measure of the time from the last record's arrival to the answer."""
OWNER = "CONCORD_QUERY"
"""Spark hands a task to any idle worker of the same environment; this one tells our queries' workers apart."""
_ENVIRONMENT = threading.Lock()
_FAILURES: dict[str, type[ConcordError]] = {kind.__name__: kind for kind in (Unavailable, Misconfigured)}


def in_one_task(rows: DataFrame, work: Work, query: str, planned_at: datetime) -> Done:
    """Run ``work`` on all rows of a one-partition frame, in one worker that serves this query alone.

    So what the worker remembers from the last micro-batch is there at the next one, as long as it lives. The rows
    have ``batch_at`` there, which is ``planned_at``.

    A :class:`ConcordError` of the worker is raised here again, as itself: it travels as data, because
    a task that fails tells the driver nothing but a traceback.
    """
    answers = [json.loads(row.answer) for row in _mapped(rows, _task(work, planned_at), query).collect()]
    for answer in answers:
        if failure := answer.get("failure"):
            raise _FAILURES.get(failure["kind"], ConcordError)(failure["message"], failure["hint"])
    tallies = [Tally(**tally) for answer in answers for tally in answer["tallies"]]
    measures = {name: value for answer in answers for name, value in answer["measures"].items()}
    kinds = [KindCount(**kind) for answer in answers for kind in answer["kinds"]]
    return Done(tallies, measures, kinds, sum(answer["large"] for answer in answers))


def _mapped(rows: DataFrame, task: Task, query: str) -> DataFrame:
    environment = rows.sparkSession.sparkContext.environment
    with _ENVIRONMENT:
        environment[OWNER] = query
        return rows.mapInArrow(task, ANSWER)


def _task(work: Work, planned_at: datetime) -> Task:
    def task(batches: Iterable[pa.RecordBatch]) -> Iterable[pa.RecordBatch]:
        _forget_archives()
        arriving = (planned(part, planned_at) for part in parts(batches))
        if answer := _answer(work, arriving):
            yield pa.RecordBatch.from_pydict({"answer": [json.dumps(answer)]})

    return task


def parts(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """What Spark sends, put together or cut to parts of at most so many rows and bytes."""
    held: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        held.append(batch)
        rows, size = rows + batch.num_rows, size + batch.nbytes
        if rows >= PART_ROWS or size >= PART_BYTES:
            yield from pieces(pa.Table.from_batches(held), PART_BYTES)
            held, rows, size = [], 0, 0
    if held:
        yield from pieces(pa.Table.from_batches(held), PART_BYTES)


def _forget_archives() -> None:
    """Before a task Spark's worker looks for new modules, and reads the directory of every archive for it: some 70 ms.

    Everything of ours, and Spark's Python too, is installed beside.
    """
    sys.path[:] = [place for place in sys.path if ARCHIVE not in place]
    for place in [place for place in sys.path_importer_cache if ARCHIVE in place]:
        del sys.path_importer_cache[place]


def _answer(work: Work, arriving: Iterable[pa.Table]) -> dict[str, object] | None:
    """None for no records."""
    try:
        begun = [work.begin(records) for records in arriving if records.num_rows]
        if not begun:
            return None
        started = perf_counter()
        records = pa.concat_tables([kept for kept, _ in begun])
        done = work.finish(records, [made for _, made in begun])
    except ConcordError as error:
        return {"failure": {"kind": type(error).__name__, "message": error.message, "hint": error.hint}}
    own = {WORKER: perf_counter() - started, **receipts(records)}
    return {
        "tallies": [asdict(tally) for tally in done.tallies],
        "measures": {**done.measures, **own},
        "kinds": [asdict(kind) for kind in done.kinds],
        "large": done.large,
    }

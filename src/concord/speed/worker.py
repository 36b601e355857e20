"""A whole micro-batch in one Python task: what a worker does to it, and how its answer comes home."""

import json
import threading
from collections.abc import Callable, Iterable
from dataclasses import asdict
from time import perf_counter

import pyarrow as pa
from pyspark.sql import DataFrame

from concord.errors import ConcordError, Misconfigured, Unavailable
from concord.speed.quality import KindCount
from concord.speed.receipts import receipts
from concord.speed.tally import Done, Tally

Work = Callable[[pa.Table], Done]

ANSWER = "answer string"
WORKER = "worker_seconds"
"""The measure of the time from the last record's arrival to the answer."""
OWNER = "CONCORD_QUERY"
"""Spark hands a task to any idle worker of the same environment; this one tells our queries' workers apart."""
_ENVIRONMENT = threading.Lock()
_FAILURES: dict[str, type[ConcordError]] = {kind.__name__: kind for kind in (Unavailable, Misconfigured)}


def in_one_task(rows: DataFrame, work: Work, query: str) -> Done:
    """Run ``work`` on all rows of a one-partition frame, in one worker that serves this query alone.

    So what the worker remembers from the last micro-batch is there at the next one, as long as it lives.

    A :class:`ConcordError` of the worker is raised here again, as itself: it travels as data, because
    a task that fails tells the driver nothing but a traceback.
    """
    answers = [json.loads(row.answer) for row in _mapped(rows, work, query).collect()]
    for answer in answers:
        if failure := answer.get("failure"):
            raise _FAILURES.get(failure["kind"], ConcordError)(failure["message"], failure["hint"])
    tallies = [Tally(**tally) for answer in answers for tally in answer["tallies"]]
    measures = {name: value for answer in answers for name, value in answer["measures"].items()}
    return Done(tallies, measures, [KindCount(**kind) for answer in answers for kind in answer["kinds"]])


def _mapped(rows: DataFrame, work: Work, query: str) -> DataFrame:
    environment = rows.sparkSession.sparkContext.environment
    with _ENVIRONMENT:
        environment[OWNER] = query
        return rows.mapInArrow(_task(work), ANSWER)


def _task(work: Work) -> Callable[[Iterable[pa.RecordBatch]], Iterable[pa.RecordBatch]]:
    def task(batches: Iterable[pa.RecordBatch]) -> Iterable[pa.RecordBatch]:
        arrived = list(batches)
        if arrived:
            yield pa.RecordBatch.from_pydict({"answer": [json.dumps(_answer(work, pa.Table.from_batches(arrived)))]})

    return task


def _answer(work: Work, records: pa.Table) -> dict[str, object]:
    started = perf_counter()
    try:
        done = work(records) if records.num_rows else Done()
    except ConcordError as error:
        return {"failure": {"kind": type(error).__name__, "message": error.message, "hint": error.hint}}
    own = {WORKER: perf_counter() - started, **(receipts(records) if records.num_rows else {})}
    return {
        "tallies": [asdict(tally) for tally in done.tallies],
        "measures": {**done.measures, **own},
        "kinds": [asdict(kind) for kind in done.kinds],
    }

"""A whole micro-batch in one Python task: what a worker does to it, and how its answer comes home."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from time import perf_counter

import pyarrow as pa
from pyspark.sql import DataFrame

from concord.errors import ConcordError, Misconfigured, Unavailable
from concord.speed.tally import Tally

Work = Callable[[pa.Table], Sequence[Tally]]

ANSWER = "answer string"
_FAILURES: dict[str, type[ConcordError]] = {kind.__name__: kind for kind in (Unavailable, Misconfigured)}


def in_one_task(rows: DataFrame, work: Work) -> list[Tally]:
    """Run ``work`` on all rows of a one-partition frame, in one worker.

    A :class:`ConcordError` of the worker is raised here again, as itself: it travels as data, because
    a task that fails tells the driver nothing but a traceback.
    """
    answers = [json.loads(row.answer) for row in rows.mapInArrow(_task(work), ANSWER).collect()]
    for answer in answers:
        if failure := answer.get("failure"):
            raise _FAILURES.get(failure["kind"], ConcordError)(failure["message"], failure["hint"])
    return [Tally(**tally) for answer in answers for tally in answer["tallies"]]


def _task(work: Work) -> Callable[[Iterable[pa.RecordBatch]], Iterable[pa.RecordBatch]]:
    def task(batches: Iterable[pa.RecordBatch]) -> Iterable[pa.RecordBatch]:
        arrived = list(batches)
        if arrived:
            yield pa.RecordBatch.from_pydict({"answer": [json.dumps(_answer(work, pa.Table.from_batches(arrived)))]})

    return task


def _answer(work: Work, records: pa.Table) -> dict[str, object]:
    started = perf_counter()
    try:
        tallies = [asdict(tally) for tally in work(records)] if records.num_rows else []
    except ConcordError as error:
        return {"failure": {"kind": type(error).__name__, "message": error.message, "hint": error.hint}}
    return {"tallies": tallies, "seconds": perf_counter() - started}

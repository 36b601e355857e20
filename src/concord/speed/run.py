"""The speed layer as a process: start, say when it is ready, stop between two micro-batches."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from pyspark.sql.streaming.query import StreamingQuery

from concord.errors import Unavailable

log = structlog.get_logger()

POLL_SECONDS = 0.2
STOP_SECONDS = 60.0
IDLE_SECONDS = 10.0
IDLE_MESSAGES = ("Waiting for next trigger", "Waiting for data to arrive")


def stop_signal() -> threading.Event:
    """An event that SIGTERM and SIGINT set. Call it after the session is up: Spark sets a handler of its own."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def run(
    queries: Sequence[StreamingQuery],
    stop: threading.Event,
    ready_file: Path,
    clock: Callable[[], datetime],
    now_and_then: Callable[[], None] = lambda: None,
) -> None:
    """Watch over the queries until ``stop``, and call ``now_and_then`` every ten seconds.

    Raises :class:`Unavailable` as soon as one of the queries has failed.
    """
    started_at, last = clock(), time.monotonic()
    try:
        while not stop.wait(POLL_SECONDS):
            refuse_failure(queries)
            if not ready_file.exists() and all(map(has_triggered, queries)):
                ready_file.write_text(json.dumps({"pid": os.getpid(), "started_at": started_at.isoformat()}))
                log.info("ready")
            if time.monotonic() - last >= IDLE_SECONDS:
                last = time.monotonic()
                now_and_then()
        refuse_failure(queries)
    finally:
        ready_file.unlink(missing_ok=True)
        for query in queries:
            stop_gracefully(query)


def has_triggered(query: StreamingQuery) -> bool:
    """True once the query has looked for data and dealt with what it found."""
    status: dict[str, Any] = query.status
    return query.lastProgress is not None or status["message"] in IDLE_MESSAGES


def refuse_failure(queries: Sequence[StreamingQuery]) -> None:
    """Raises :class:`Unavailable` with the first failed query's reason."""
    for query in queries:
        if not query.isActive:
            raise Unavailable(
                f"query {query.name} stopped: {_reason(query)}", "it goes on where it was when it is started again"
            )


def _reason(query: StreamingQuery) -> str:
    error = query.exception()
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] if error else []
    named = [line.partition(": ")[2] for line in lines if line.startswith("concord.errors.")]
    return (named or lines or ["no reason given"])[0]


def stop_gracefully(query: StreamingQuery) -> None:
    """Stop after the running micro-batch; after a minute, stop anyway (it will be run again)."""
    deadline = time.monotonic() + STOP_SECONDS
    while query.isActive and query.status["isTriggerActive"]:
        if time.monotonic() > deadline:
            log.warning("stopped_inside_batch", query=query.name)
            break
        time.sleep(POLL_SECONDS / 4)
    query.stop()

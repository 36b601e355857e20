"""Traces: one per unit of work, written once the work is done, so that nothing is carried along while it runs."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter
from opentelemetry.trace import format_trace_id, set_span_in_context

FILE_BYTES = 8 << 20
FILES_KEPT = 3
"""Besides the one that is written to."""
NANOSECONDS = 1_000_000_000

Attributes = Mapping[str, str | int | float]


@dataclass(frozen=True)
class Step:
    """Work from one moment to another, in seconds since 1970, and the steps it was made of."""

    name: str
    began: float
    ended: float
    attributes: Attributes = field(default_factory=dict)
    parts: Sequence["Step"] = ()


class Traces:
    """Where traces go. They are handed over in the background; ``close`` waits for that."""

    def __init__(self, service: str, exporter: SpanExporter) -> None:
        # Ends with the process by ``close`` alone; the sampler keeps everything: there is a trace every second or so.
        self._provider = TracerProvider(resource=Resource({SERVICE_NAME: service}), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer(__name__)

    def record(self, step: Step) -> str:
        """Hand over the step with all its parts as one trace; its id, 32 hexadecimal digits."""
        return self._record(step, None)

    def close(self) -> None:
        """Everything handed over has been sent or written."""
        self._provider.shutdown()

    def _record(self, step: Step, parent: Any) -> str:
        span = self._tracer.start_span(
            step.name, context=parent, attributes=dict(step.attributes), start_time=_nanoseconds(step.began)
        )
        context = set_span_in_context(span)
        for part in step.parts:
            self._record(part, context)
        span.end(_nanoseconds(step.ended))
        return format_trace_id(span.get_span_context().trace_id)


def to_file(service: str, folder: Path) -> Traces:
    """Traces as JSON lines in ``folder``, a span each; the oldest are dropped beyond 32 MiB."""
    folder.mkdir(parents=True, exist_ok=True)
    out = _BoundedFile(folder / "spans.jsonl")
    return Traces(service, ConsoleSpanExporter(out=out, formatter=lambda span: span.to_json(indent=None)))  # type: ignore[arg-type]


def to_collector(service: str, endpoint: str) -> Traces:
    """Traces to an OpenTelemetry collector: OTLP over HTTP, ``endpoint`` being the address before ``/v1/traces``."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # takes half a second to load

    return Traces(service, OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces"))


class _BoundedFile:
    """As much of a text file as the exporter needs: one line per ``write``."""

    def __init__(self, path: Path) -> None:
        self._lines = RotatingFileHandler(path, maxBytes=FILE_BYTES, backupCount=FILES_KEPT, delay=True)

    def write(self, line: str) -> None:
        self._lines.emit(logging.makeLogRecord({"msg": line}))

    def flush(self) -> None:
        self._lines.flush()


def _nanoseconds(seconds: float) -> int:
    return round(seconds * NANOSECONDS)

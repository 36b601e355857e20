"""The whole load: file in, shop and clickstream out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from concord.contracts.names import EVENTS_TOPIC
from concord.gateways.kafka import Kafka
from concord.gateways.postgres import Postgres
from concord.ingest.clickstream import Order, replayed
from concord.ingest.ledger import Ledger
from concord.ingest.online_retail.lines import read_lines
from concord.ingest.online_retail.load import OnOrders, Progress, Report, load
from concord.ingest.online_retail.plan import Plan, plan
from concord.ingest.publish import Outgoing, Publisher, publisher

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Clickstream:
    """Where the simulated clicks around the loaded orders go, and by which clock they are stamped."""

    kafka: Kafka
    ledger: Ledger
    clock: Clock
    topic: str = EVENTS_TOPIC


@dataclass(frozen=True)
class Prepared:
    """A file read, checked and planned; ``repeated`` lines stood in two sheets and were taken once."""

    lines: int
    repeated: int
    plan: Plan


@dataclass(frozen=True)
class Summary:
    """What one load did."""

    report: Report
    lines: int
    repeated: int
    events: int


def prepare(path: Path, limit: int | None = None) -> Prepared:
    """Read and check a whole published file; ``limit`` keeps the earliest invoices.

    Writes nothing. Raises :class:`ContractViolation` naming file, row and column.
    """
    lines = read_lines(path)
    planned = plan(lines)
    return Prepared(lines.rows.height, lines.repeated, planned if limit is None else planned.first(limit))


def load_prepared(
    postgres: Postgres,
    prepared: Prepared,
    *,
    clickstream: Clickstream | None = None,
    rate: float | None = None,
    progress: Progress = lambda done, total: None,
) -> Summary:
    """Load what was prepared; again and again, with one end state. ``rate`` is orders per second.

    Raises :class:`ContractViolation` before the first write if the shop's users contradict the file,
    :class:`Unavailable` if PostgreSQL or Kafka is not there.
    """
    clicks = _publisher(clickstream) if clickstream else None
    on_orders = _publishing(clicks, clickstream.clock) if clicks and clickstream else _silent
    report = load(postgres, prepared.plan, rate=rate, on_orders=on_orders, progress=progress)
    return Summary(report, prepared.lines, prepared.repeated, clicks.sent if clicks else 0)


def load_online_retail(
    postgres: Postgres,
    path: Path,
    *,
    clickstream: Clickstream | None = None,
    rate: float | None = None,
    limit: int | None = None,
    progress: Progress = lambda done, total: None,
) -> Summary:
    """:func:`prepare` and :func:`load_prepared`: nothing is written unless the whole file is sound."""
    return load_prepared(postgres, prepare(path, limit), clickstream=clickstream, rate=rate, progress=progress)


def _publisher(clickstream: Clickstream) -> Publisher:
    return publisher(clickstream.kafka, clickstream.ledger, clickstream.topic, linger_ms=5)


def _publishing(clicks: Publisher, clock: Clock) -> OnOrders:
    """Clicks are acknowledged before their orders are committed: a load broken off between repeats
    them under the same identities, so none is ever missing or counted twice."""

    def publish(orders: Sequence[Order]) -> None:
        now = clock()
        records = [Outgoing.of(event) for order in orders for event in replayed(order, now)]
        if records:
            clicks.send(records)
            clicks.flush()

    return publish


def _silent(orders: Sequence[Order]) -> None:
    """No clickstream is wanted."""

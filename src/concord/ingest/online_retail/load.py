"""The plan becomes transactions: one per invoice and one per later status, in order of time.

A user or product is inserted with the first invoice that names it: every transaction is complete
in itself, the shop grows as it did, and a load that was broken off goes on where it stopped.
Commits are not waited for one by one; after a crash of PostgreSQL itself the last half second may
be gone, and loading again brings it back.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from concord.contracts.tables import TABLES, OrderStatus
from concord.errors import Unavailable
from concord.gateways.postgres import Postgres, Session
from concord.ingest import lifecycle
from concord.ingest.clickstream import Order
from concord.ingest.online_retail.ids import Loaded, assign, look_up
from concord.ingest.online_retail.plan import Plan
from concord.ingest.online_retail.rows import Rows
from concord.ingest.pace import Pace
from concord.ingest.statements import SET_STATUS, columns_of, insert_many

TRANSACTIONS_AT_ONCE = 250
"""Sent together when there is no rate to keep."""
LOCK = 352_502
"""Advisory lock of a running load; any number will do that nobody else uses."""

Progress = Callable[[int, int], None]
"""Called with transactions done and in all."""
OnOrders = Callable[[Sequence[Order]], None]
"""Called with orders just before they are committed."""


@dataclass
class Report:
    """What one load wrote; all zero if the shop had everything."""

    rows: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TABLES, 0))
    status_changes: int = 0
    invoices: int = 0
    invoices_present: int = 0

    @property
    def written(self) -> int:
        return sum(self.rows.values()) + self.status_changes


@dataclass(frozen=True, order=True)
class Moment:
    """One transaction to come: ``step`` 0 places the order, later ones are steps of its life."""

    at: datetime
    order: int
    step: int


def load(
    postgres: Postgres,
    plan: Plan,
    *,
    rate: float | None = None,
    on_orders: OnOrders = lambda orders: None,
    progress: Progress = lambda done, total: None,
) -> Report:
    """Bring the shop to the plan's end state and report what that took.

    ``rate`` is orders per second. Raises :class:`ContractViolation` before the first write if the
    shop's users contradict the file, and :class:`Unavailable` if another load is running.
    """
    with postgres.connect() as session:
        _be_the_only_one(session, postgres.address)
        done = look_up(session, plan)
        moments = to_come(plan, done)
        report = Report(invoices=plan.orders.height, invoices_present=len(done.orders))
        if moments:
            writer = _Writer(session, Rows(plan, assign(session, plan, done), done), report)
            _write(writer, moments, Pace(rate), on_orders, progress)
    return report


def to_come(plan: Plan, done: Loaded) -> list[Moment]:
    """Every transaction that the shop has not seen yet, in order of time."""
    moments = []
    orders = plan.orders.select("rank", "external_id", "status", "created_at")
    for order, number, status, placed_at in orders.iter_rows():
        present = OrderStatus(done.statuses.get(order, status))
        if order not in done.orders:
            moments.append(Moment(placed_at, order, 0))
        ahead = lifecycle.remaining(present)
        life = enumerate(lifecycle.steps(number, placed_at), start=1)
        moments += [Moment(at, order, step) for step, (reached, at) in life if reached in ahead]
    return sorted(moments)


def _be_the_only_one(session: Session, address: str) -> None:
    [(is_ours,)] = session.query("select pg_try_advisory_lock(%s)", (LOCK,))
    if not is_ours:
        raise Unavailable(f"PostgreSQL at {address}: another load is running", "wait for it, or stop it")


def _write(writer: "_Writer", moments: list[Moment], pace: Pace, on_orders: OnOrders, progress: Progress) -> None:
    writer.session.execute("set synchronous_commit = off")
    written = 0
    for chunk in _chunks(moments, 1 if pace.per_second else TRANSACTIONS_AT_ONCE):
        placed = [writer.rows.order(moment.order) for moment in chunk if moment.step == 0]
        pace.wait(len(placed))
        on_orders(placed)
        writer.write(chunk)
        written += len(chunk)
        progress(written, len(moments))


def _chunks(moments: list[Moment], size: int) -> Iterator[list[Moment]]:
    remaining = iter(moments)
    while chunk := list(islice(remaining, size)):
        yield chunk


@dataclass(frozen=True)
class _Writer:
    session: Session
    rows: Rows
    report: Report

    def write(self, moments: list[Moment]) -> None:
        """One transaction each, sent in one go. Returns when all are committed."""
        with self.session.pipeline() as pipeline:
            for moment in moments:
                with self.session.transaction():
                    self._place(moment.order) if moment.step == 0 else self._advance(moment)
            pipeline.sync()

    def _place(self, order: int) -> None:
        for table, rows in self.rows.placing(order):
            if rows:
                self.session.prepared(insert_many(table), columns_of(table, rows))
                self.report.rows[table.name] += len(rows)

    def _advance(self, moment: Moment) -> None:
        status, at = self.rows.life(moment.order)[moment.step - 1]
        before = lifecycle.before(status)
        self.session.prepared(SET_STATUS, (status, at, self.rows.order_id(moment.order), before))
        self.report.status_changes += 1

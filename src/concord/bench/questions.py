"""What a dashboard asks, how often, and how long the answer takes while events come in."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from concord.bench.background import meanwhile
from concord.bench.percentiles import percentiles
from concord.gateways.clickhouse import ClickHouse

PAUSE_SECONDS = 0.05
"""Between two questions: a few people look at once."""

QUESTIONS: Mapping[str, str] = {
    "funnel by minute, last hour": (
        "select * from funnel_rates(grain = 'minute', by = 'all', since = now() - interval 4 hour)"
    ),
    "funnel by hour and tier, last day": (
        "select * from funnel_rates(grain = 'hour', by = 'tier', since = now() - interval 1 day)"
    ),
    "funnel by day and source, last week": (
        "select * from funnel_rates(grain = 'day', by = 'source', since = now() - interval 8 day)"
    ),
    "funnel by category, last day": (
        "select * from category_funnel_rates(grain = 'day', since = now() - interval 1 day)"
    ),
    "abandoned carts by hour, last day": (
        "select * from cart_abandonment(grain = 'hour', by = 'all', since = now() - interval 1 day)"
    ),
    "behaviour by hour and tier, last day": (
        "select * from tier_behaviour(grain = 'hour', since = now() - interval 1 day)"
    ),
    "open sessions and their carts": "select * from open_sessions(since = now() - interval 90 minute)",
    "revenue now": (
        "select count(), sum(revenue), sum(orders) from revenue_by_minute where minute >= now() - interval 4 hour"
    ),
    "active users today and each day of a week": (
        "select day, users, visitors from active_by_day where day >= today() - 7 order by day"
    ),
    "visitors of a week": "select visitors from active_since(day = today() - 7)",
    "top products now": "select * from top_products(since = now() - interval 4 hour, top = 10)",
    "searches without result, last day": (
        "select * from searches_without_result(since = now() - interval 1 day, top = 20)"
    ),
    "activity by minute and type, last hours": (
        "select period, event_type, sum(events) from activity(grain = 'minute', since = now() - interval 4 hour) "
        "group by period, event_type order by period"
    ),
}


@dataclass
class Answers:
    """How long each answer took, in seconds, and how many rows it had at the end."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in QUESTIONS})
    rows: dict[str, int] = field(default_factory=dict)

    def figures(self) -> dict[str, Any]:
        """Milliseconds by question and over all of them."""
        every = [each for answers in self.seconds.values() for each in answers]
        return {
            "all_ms": _ms(every),
            "by_question": {
                name: {"runs": len(answers), "rows": self.rows.get(name, 0), "ms": _ms(answers)}
                for name, answers in self.seconds.items()
            },
        }


def _ms(seconds: Sequence[float]) -> dict[str, float]:
    return {name: round(value * 1000, 1) for name, value in percentiles(seconds).items()} if seconds else {}


@contextmanager
def asking(store: ClickHouse) -> Iterator[Answers]:
    """Ask one question after the other as long as the block runs."""
    answers = Answers()
    with meanwhile(lambda stop: _ask(store, answers, stop)):
        yield answers


def _ask(store: ClickHouse, answers: Answers, stop: threading.Event) -> None:
    while not stop.is_set():
        for name, question in QUESTIONS.items():
            started = time.perf_counter()
            found = store.query(question)
            answers.seconds[name].append(time.perf_counter() - started)
            answers.rows[name] = len(found)
            stop.wait(PAUSE_SECONDS)

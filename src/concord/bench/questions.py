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

RATES = "sum(sessions), sum(viewed), sum(carted), sum(checkouts), sum(purchased)"
QUESTIONS: Mapping[str, str] = {
    "funnel by minute, last hour": (
        f"select minute, {RATES} from funnel_by_minute where minute >= now() - interval 4 hour "
        "group by minute order by minute"
    ),
    "funnel by hour and tier, last day": (
        f"select toStartOfHour(minute) as hour, customer_tier, {RATES} from funnel_by_minute "
        "where minute >= now() - interval 1 day group by hour, customer_tier order by hour"
    ),
    "funnel by day and source, last week": (
        f"select toDate(minute) as day, traffic_source, {RATES} from funnel_by_minute "
        "where minute >= now() - interval 8 day group by day, traffic_source order by day"
    ),
    "funnel by category, last day": (
        "select product_category, sum(viewed), sum(carted), sum(checkouts), sum(purchased) "
        "from funnel_category_by_minute where minute >= now() - interval 1 day group by product_category"
    ),
    "open sessions and their carts": (
        "select funnel_step, count(), sum(cart_value) from sessions_current "
        "where started_at >= now() - interval 90 minute and not is_closed group by funnel_step"
    ),
    "revenue now": (
        "select count(), sum(revenue), sum(orders) from revenue_by_minute where minute >= now() - interval 4 hour"
    ),
    "active users today and each day of a week": (
        "select day, users, visitors from active_by_day where day >= today() - 7 order by day"
    ),
    "visitors of a week": ("select uniqCombined64Merge(visitors) from active_days where day >= today() - 7"),
    "top products now": (
        "select product_id, any(product_category), sum(views) as seen, sum(cart_adds) from product_minutes "
        "where minute >= now() - interval 4 hour group by product_id order by seen desc limit 10"
    ),
    "searches without result, last day": (
        "select search_query, sum(without_result) as missed, sum(searches) from search_minutes "
        "where minute >= now() - interval 1 day group by search_query having missed > 0 order by missed desc limit 20"
    ),
    "activity by minute and type, last hours": (
        "select minute, event_type, sum(events) from activity_minutes where minute >= now() - interval 4 hour "
        "group by minute, event_type order by minute"
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

"""A snapshot of the speed layer, laid out for a terminal of eighty columns and twenty-four lines."""

from collections.abc import Iterator, Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from concord.cli.hops import short
from concord.cli.live_snapshot import Snapshot
from concord.cli.output import table
from concord.cli.plain_text import plain

MIB = 1 << 20
UNKNOWN = "–"


def view(seen: Snapshot) -> RenderableType:
    """Everything, the answer first: does it keep up, and if not, what holds it up."""
    rows = _beside(_figures(seen), _lag(seen)), _beside(_fates(seen), _dead(seen), _parts(seen))
    return Group(*_heading(seen), *rows)


def _heading(seen: Snapshot) -> Iterator[RenderableType]:
    yield Text(f"Speed layer at {seen.at}", style="bold")
    for name, reason in seen.away.items():
        yield Text.from_markup(f"[red]no answer from the {name}:[/red] {plain(reason)}")
    yield Text(f"bottleneck: {seen.bottleneck}", style="yellow" if _is_slow(seen) else "")


def _is_slow(seen: Snapshot) -> bool:
    return bool(seen.away) or seen.batch_seconds > seen.trigger_seconds


def _beside(*tables: Table) -> Table:
    row = Table.grid(padding=(0, 3, 0, 0))
    row.add_row(*tables)
    return row


def _small(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    small = table(title, columns, rows)
    small.box, small.padding, small.show_edge = SIMPLE_HEAD, (0, 1, 0, 0), False
    return small


def _figures(seen: Snapshot) -> Table:
    return _small("Now", ("measured", "is", "target"), list(figures(seen)))


def figures(seen: Snapshot) -> Iterator[tuple[str, str, str]]:
    """Names, values and what they shall be, with their units."""
    yield "arriving", _number(seen.arriving_per_second, "/s"), f"{seen.target_per_second:,.0f}/s"
    yield "freshness, 50 %", _seconds(seen.freshness_median), ""
    yield "freshness, 99 %", _seconds(seen.freshness_p99), f"≤ {seen.freshness_target_seconds:g} s"
    batch = seen.batch_seconds or None
    yield "micro-batch", _seconds(batch), f"≤ {seen.trigger_seconds:g} s"
    yield "stored", _seconds(seen.batch_age_seconds, " ago"), ""
    yield "open sessions", _number(seen.sessions_open), ""
    yield "state of these", _mebibytes(seen.state_bytes), ""
    yield "memory, all of it", _mebibytes(seen.memory_bytes), ""
    yield "slow queries, 1 min", _number(seen.slow_queries), "0"


def _fates(seen: Snapshot) -> Table:
    return _small("Events", ("fate", "last minute"), _rows(seen.fates))


def _dead(seen: Snapshot) -> Table:
    return _small("Dead letters", ("reason", "last minute"), _rows(seen.dead, none="none"))


def _parts(seen: Snapshot) -> Table:
    rows = [(part, f"{seconds:.3f}") for part, seconds in seen.batch.items()]
    return _small(f"Batch of {_number(seen.batch_records)}", ("part", "seconds"), rows or [(UNKNOWN, UNKNOWN)])


def _lag(seen: Snapshot) -> Table:
    rows = [(short(topic), records, _wait(seen, topic)) for topic, records in seen.lag.items()]
    return _small("Not stored yet", ("topic", "records", "since"), rows or [(UNKNOWN, UNKNOWN, UNKNOWN)])


def _wait(seen: Snapshot, topic: str) -> str:
    """The speed layer looks every ten seconds: what has just been stored may still be said to wait."""
    return _seconds(seen.lag_seconds.get(topic)) if seen.lag[topic] else UNKNOWN


def _rows(counts: Mapping[str, int], none: str = UNKNOWN) -> list[tuple[object, ...]]:
    return [(plain(name), count) for name, count in counts.items()] or [(none, UNKNOWN)]


def _number(value: float | None, unit: str = "") -> str:
    return UNKNOWN if value is None else f"{value:,.0f}{unit}"


def _seconds(value: float | None, more: str = "") -> str:
    return UNKNOWN if value is None else f"{value:,.1f} s{more}"


def _mebibytes(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value / MIB:,.1f} MiB"

"""``concord watch``: snapshots as they were recorded, laid out; and what a look makes of who answers."""

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from concord.cli import live
from concord.cli.live_snapshot import Looks, Snapshot, Stored, lag, snapshot
from concord.cli.live_view import view
from concord.contracts.names import EVENTS_TOPIC
from concord.contracts.position import Position
from concord.errors import ExitCode
from concord.gateways.metrics import Scraped, parsed
from concord.settings import load_settings

RECORDED = Path(__file__).parent / "recorded"
BUSY = Snapshot(**json.loads((RECORDED / "busy.json").read_text()))
AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
FATES = {"read": 1200, "stored": 1100, "dead": 60, "duplicate": 30, "late": 10}


def shown(seen: Snapshot) -> str:
    console = Console(width=80, color_system=None)
    with console.capture() as captured:
        console.print(view(seen))
    return captured.get()


@pytest.fixture
def looks(home: Path, monkeypatch: pytest.MonkeyPatch) -> Looks:
    monkeypatch.setenv("CONCORD_TELEMETRY__METRICS_PORT", "1")
    return Looks(load_settings(), clock=lambda: AT)


def test_a_busy_layer_is_shown_with_rate_freshness_lag_batch_fates_and_reasons() -> None:
    text = shown(BUSY)
    for expected in (
        "bottleneck: close: a micro-batch takes 81% of its trigger; longest (0.90 s)",
        "20,113/s     20,000/s",
        "3.4 s        ≤ 5 s",
        "1.6 s        ≤ 2 s",
        "41,180",
        "84,211",
        "25.7 MiB",
        "missing_field",
        "events.v1",
        "duplicate",
        "checkpoint",
    ):
        assert expected in text, expected


def test_it_leaves_room_for_a_last_line_on_a_terminal_of_eighty_columns_and_twenty_four_lines() -> None:
    lines = shown(BUSY).splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) < 24


def test_who_is_away_is_named_first_and_the_rest_is_shown() -> None:
    text = shown(
        replace(
            BUSY,
            batch={},
            away={"speed layer": "it is away: [Errno 111]"},
            bottleneck="the speed layer does not answer",
        )
    )
    assert text.splitlines()[1] == "no answer from the speed layer: it is away: [Errno 111]"
    assert "missing_field" in text


def test_nothing_known_is_shown_as_unknown() -> None:
    text = shown(Snapshot("now", 20_000, 2, 5, away={"broker (Kafka)": "silent"}))
    assert "0" not in text.split("freshness, 50 %")[1].split("\n")[0]
    assert "–" in text


def test_reasons_are_made_fit_for_a_terminal() -> None:
    assert "\x1b" not in shown(replace(BUSY, dead={"\x1b[2Jbold": 1}))


def test_lag_is_by_topic_and_never_negative() -> None:
    end = Position.of([("a", 0, 9), ("a", 1, 5), ("b", 0, 3)])
    assert lag(Position.of([("a", 0, 4), ("b", 0, 8)]), end) == {"a": 11, "b": 0}


def test_a_look_puts_together_what_each_of_them_says(looks: Looks) -> None:
    served = parsed(
        'concord_speed_last_batch_seconds{query="speed.events",part="read"} 0.9\n'
        'concord_speed_last_batch_seconds{query="speed.events",part="store"} 0.7\n'
        'concord_speed_last_batch_seconds{query="speed.changes",part="read"} 7\n'
        f'concord_speed_last_batch_timestamp_seconds{{query="speed.events"}} {AT.timestamp() - 3}\n'
        'concord_speed_memory_bytes{process="java"} 1000\nconcord_speed_memory_bytes{process="driver"} 500\n'
        "concord_speed_sessions_open 12\n"
    )
    stored = Stored(Position.of([(EVENTS_TOPIC, 0, 99)]), FATES, 30, {"not_json": 60})
    end = Position.of([(EVENTS_TOPIC, 0, 149)])
    seen = snapshot(looks.settings, AT, served, stored, end, 20.0, {})
    assert (seen.batch, seen.batch_age_seconds) == ({"read": 0.9, "store": 0.7}, 3.0)
    assert (seen.lag, seen.sessions_open, seen.memory_bytes) == ({EVENTS_TOPIC: 50}, 12, 1500)
    assert seen.bottleneck.startswith("close: a micro-batch takes 80% of its trigger")


def test_the_rate_is_what_arrived_between_looks_else_what_the_last_minute_stored(looks: Looks) -> None:
    stored = Stored(Position(), FATES, 30, {})
    assert looks._rate(100.0, Position.of([(EVENTS_TOPIC, 0, 999)]), stored) == 20
    assert looks._rate(102.0, Position.of([(EVENTS_TOPIC, 0, 41_999)]), stored) == 20_500
    assert Looks(looks.settings)._rate(100.0, None, None) is None


def test_with_everything_away_it_says_so_and_ends_well(concord, looks: Looks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("concord.cli.live.Looks", lambda settings: Away(looks))
    ended = concord("watch", "--once")
    assert ended.code == ExitCode.OK
    assert "the broker (Kafka) does not answer" in ended.out
    document = json.loads(concord("watch", "--once", "--json").out)
    assert set(document) == set(asdict(BUSY))
    assert "it is away" in document["away"]["speed layer"]


class Away:
    """A look at a home in which nothing runs, without waiting for it."""

    def __init__(self, looks: Looks) -> None:
        self.looks = looks

    def look(self) -> Snapshot:
        return snapshot(self.looks.settings, AT, Scraped(), None, None, None, dict(self.reasons()))

    def reasons(self) -> Iterator[tuple[str, str]]:
        try:
            self.looks._scraped()
        except Exception as error:
            yield "speed layer", str(error)
        yield "broker (Kafka)", "silent"


def test_json_without_an_end_is_refused(concord, home: Path) -> None:
    ended = concord("watch", "--json")
    assert ended.code == ExitCode.USAGE
    assert "--once" in ended.err


@pytest.mark.parametrize("end", [KeyboardInterrupt, None])
def test_it_ends_by_its_key_or_by_an_interrupt(
    end: type[BaseException] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def key(name: str, seconds: float) -> bool:
        if end:
            raise end
        return name == "q"

    monkeypatch.setattr(live, "pressed", key)
    monkeypatch.setattr(live, "console", Console(force_terminal=True, width=80, file=open("/dev/null", "w")))  # noqa: SIM115
    live._live(lambda: BUSY)


def test_a_look_that_fails_is_told_and_not_shown_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Snapshot:
        raise ZeroDivisionError

    eyes = live._Eyes(broken)
    eyes.watch()
    with pytest.raises(ZeroDivisionError):
        eyes.refuse_failure()

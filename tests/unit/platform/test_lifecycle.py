"""The order in which engines start and stop."""

import threading
from pathlib import Path

import pytest

from concord.errors import Unavailable
from concord.platform.lifecycle import in_order, last_lines, reversed_graph

GRAPH = {"kafka": set(), "postgres": set(), "connect": {"kafka", "postgres"}, "speed": {"kafka"}}


def _order_of_work(graph: dict[str, set[str]]) -> list[str]:
    done: list[str] = []
    in_order(graph, done.append)
    return done


def test_every_engine_starts_after_those_it_needs() -> None:
    done = _order_of_work(GRAPH)
    assert sorted(done) == sorted(GRAPH)
    assert all(done.index(need) < done.index(name) for name, needs in GRAPH.items() for need in needs)


def test_every_engine_stops_before_those_it_needs() -> None:
    done = _order_of_work(reversed_graph(GRAPH))
    assert all(done.index(need) > done.index(name) for name, needs in GRAPH.items() for need in needs)


def test_engines_that_do_not_need_each_other_start_at_once() -> None:
    both_are_here = threading.Barrier(2, timeout=10)

    def start(_name: str) -> None:
        both_are_here.wait()

    in_order({"kafka": set(), "postgres": set()}, start)


def test_what_needs_a_failed_engine_is_not_started() -> None:
    started: list[str] = []

    def start(name: str) -> None:
        started.append(name)
        if name == "kafka":
            raise Unavailable("kafka does not become ready")

    with pytest.raises(Unavailable, match="kafka"):
        in_order({"kafka": set(), "connect": {"kafka"}}, start)
    assert started == ["kafka"]


def test_the_end_of_a_log_is_its_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "kafka.log"
    log.write_text("".join(f"line {number}\n" for number in range(50)))
    assert last_lines(log, 2) == "line 48\nline 49"


def test_a_log_that_is_not_there_has_no_last_lines(tmp_path: Path) -> None:
    assert last_lines(tmp_path / "kafka.log") == ""

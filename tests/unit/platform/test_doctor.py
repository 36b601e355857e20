import pytest

from concord.platform.doctor import (
    GIBIBYTE,
    State,
    judge_clock,
    judge_disk,
    judge_engine,
    judge_java,
    judge_memory,
    judge_open_files,
    judge_part,
    judge_python,
    judge_system,
)
from concord.platform.engine import Engine, Launch
from concord.platform.ports import Holder

HOME = "/var/lib/concord"


def engine(*ports, is_stand_in=False):
    return Engine("kafka", "4.3.1", ports, lambda: Launch(()), lambda: True, is_stand_in=is_stand_in)


def test_free_ports_are_well():
    finding = judge_engine(engine(29092, 29093), {}, HOME)
    assert finding.state is State.OK
    assert finding.says == "real, version 4.3.1, port 29092, 29093 free"


def test_a_port_held_by_a_stranger_is_named_with_its_process():
    finding = judge_engine(engine(29092), {29092: Holder(4711, "nginx", ("nginx -g",))}, HOME)
    assert finding.state is State.FAILED
    assert "port 29092 is held by nginx (pid 4711)" in finding.says
    assert "another port in the profile" in finding.advice


def test_a_port_held_by_another_users_process_says_so():
    finding = judge_engine(engine(29092), {29092: Holder(None, "")}, HOME)
    assert "held by a process of another user" in finding.says


def test_a_port_held_by_our_own_engine_is_well():
    holder = Holder(4711, "java", (f"java kafka.Kafka {HOME}/kafka/server.properties",))
    finding = judge_engine(engine(29092), {29092: holder}, HOME)
    assert finding.state is State.OK
    assert finding.says.endswith("(running)")


def test_what_an_engine_of_ours_started_is_ours():
    assert Holder(4711, "worker", ("worker", f"supervisord -c {HOME}/supervisor.conf")).belongs_to(HOME)


def test_a_stand_in_is_called_one():
    assert judge_engine(engine(1, is_stand_in=True), {}, HOME).says.startswith("stand-in")


@pytest.mark.parametrize(("free", "state"), [(7, State.OK), (5, State.WARNING), (1, State.FAILED)])
def test_disk_space_is_graded_and_the_folder_named(free, state):
    finding = judge_disk("disk of cache", "/var/cache/concord", free * GIBIBYTE)
    assert finding.state is state
    assert "/var/cache/concord" in finding.says
    assert bool(finding.advice) is (state is not State.OK)


@pytest.mark.parametrize(
    ("total", "available", "state"), [(16, 9, State.OK), (16, 3, State.WARNING), (3, 3, State.FAILED)]
)
def test_a_small_machine_fails_and_a_busy_one_is_warned_of(total, available, state):
    assert judge_memory(total * GIBIBYTE, available * GIBIBYTE).state is state


@pytest.mark.parametrize(("limit", "state"), [(20_000, State.OK), (4096, State.WARNING), (256, State.FAILED)])
def test_the_limit_of_open_files_is_graded(limit, state):
    assert judge_open_files(limit).state is state


def test_a_clock_before_the_checkout_was_written_is_wrong():
    written = 1_800_000_000.0
    assert judge_clock(written + 1, written).state is State.OK
    assert judge_clock(written - 30 * 86_400, written).state is State.FAILED


@pytest.mark.parametrize(
    ("printed", "state"),
    [('openjdk version "21.0.8" 2025-07-15', State.OK), ('java version "1.8.0_391"', State.FAILED), ("", State.FAILED)],
)
def test_java_is_of_the_locked_major_version(printed, state):
    assert judge_java(printed, locked=21).state is state


@pytest.mark.parametrize(("version", "state"), [((3, 10), State.FAILED), ((3, 13), State.OK), ((3, 14), State.FAILED)])
def test_the_versions_of_python_are_those_of_the_package(version, state):
    assert judge_python(version).state is state


def test_other_systems_are_untested_not_refused():
    assert judge_system("Linux", "x86_64").state is State.OK
    assert judge_system("Darwin", "arm64").state is State.WARNING


def test_a_part_that_lacks_files_says_how_many_and_what_to_do():
    finding = judge_part("kafka jars", "/cache/jars/kafka", ["a.jar", "b.jar"])
    assert finding.state is State.FAILED
    assert finding.says == "not complete in /cache/jars/kafka: a.jar and 1 more"
    assert finding.advice == "run: concord setup"

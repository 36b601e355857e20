"""What shows that work was in flight."""

import subprocess
import sys
from pathlib import Path

import psutil

from concord.chaos.in_flight import frozen, kill, killed, open_batch, thawed
from concord.platform import leftovers
from tests.waiting import eventually


def checkpoint(folder: Path, query: str, planned: int, done: int) -> None:
    for name, count in (("offsets", planned), ("commits", done)):
        (folder / query / name).mkdir(parents=True)
        for number in range(count):
            (folder / query / name / str(number)).touch()


def test_a_micro_batch_is_open_between_its_plan_and_its_commit(tmp_path):
    checkpoint(tmp_path, "speed.changes", planned=3, done=3)
    checkpoint(tmp_path, "speed.events", planned=12, done=11)
    assert open_batch(tmp_path) == ("speed.events", 11)


def test_none_is_open_once_all_are_committed(tmp_path):
    checkpoint(tmp_path, "speed.events", planned=12, done=12)
    (tmp_path / "speed.events" / "offsets" / ".13.tmp").touch()
    assert open_batch(tmp_path) is None


def test_a_frozen_process_goes_on_when_it_is_thawed_and_does_not_once_it_is_killed():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        try:
            family = frozen(child.pid)
            assert [member.status() for member in family] == ["stopped"]
            thawed(family)
            eventually(lambda: family[0].status() != "stopped")
            killed(frozen(child.pid))
            assert child.wait(30) < 0
        finally:
            child.kill()


def test_a_member_that_has_ended_meanwhile_leaves_the_others_frozen_and_then_thawed(monkeypatch):
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        with subprocess.Popen([sys.executable, "-c", ""]) as brief:
            gone = psutil.Process(brief.pid)
        monkeypatch.setattr(leftovers, "family", lambda pids: [gone, psutil.Process(child.pid)])
        try:
            family = frozen(child.pid)
            assert [(member.pid, member.status()) for member in family] == [(child.pid, "stopped")]
            thawed([gone, *family])
            eventually(lambda: family[0].status() != "stopped")
            kill(child.pid)
            assert child.wait(30) < 0
        finally:
            child.kill()


def test_kill_takes_everything_below_too():
    script = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1, flush=True); input()'])"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        family = frozen(parent.pid)
        thawed(family)
        kill(parent.pid)
        parent.wait(30)
        assert len(family) == 2
        # Only the parent is waited for: the other one's end is the system's business.
        eventually(lambda: not any(member.is_running() and member.status() != "zombie" for member in family[1:]))

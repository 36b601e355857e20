"""CPU of a process tree, on one that is made up."""

from dataclasses import dataclass, field
from types import SimpleNamespace

from concord.bench.accounting import Account


@dataclass
class FakeProcess:
    """A process with times that the test sets."""

    pid: int
    used: float = 0.0
    waited: float = 0.0
    below: list["FakeProcess"] = field(default_factory=list)

    def cpu_times(self):
        return SimpleNamespace(
            user=self.used * 0.75, system=self.used * 0.25, children_user=self.waited, children_system=0.0
        )

    def create_time(self):
        return float(self.pid)

    def name(self):
        return f"program {self.pid}"

    def children(self, recursive=False):
        return [one for child in self.below for one in (child, *child.children())]


def seen(root):
    account = Account(root)
    account.look()
    return account


def test_every_process_of_the_tree_counts():
    assert seen(FakeProcess(1, 2.0, below=[FakeProcess(2, 3.0, below=[FakeProcess(3, 4.0)])])).seconds() == 9.0


def test_a_child_that_ended_counts_with_the_parent_that_waited():
    child = FakeProcess(2, 3.0)
    root = FakeProcess(1, 2.0, below=[child])
    account = seen(root)
    root.below, root.waited = [], 3.5
    account.look()
    assert account.seconds() == 2.0 + 3.5


def test_a_child_nobody_waited_for_counts_as_last_seen():
    root = FakeProcess(1, 2.0, below=[FakeProcess(2, 3.0)])
    account = seen(root)
    root.below = []
    account.look()
    assert account.seconds() == 5.0


def test_a_child_that_came_and_went_between_two_looks_counts():
    root = FakeProcess(1, 2.0)
    account = seen(root)
    root.waited = 1.5
    account.look()
    assert account.seconds() == 3.5


def test_seconds_are_told_apart_by_program():
    account = seen(FakeProcess(1, 2.0, below=[FakeProcess(2, 3.0)]))
    assert account.by_name() == {"program 1": 2.0, "program 2": 3.0}

"""CPU and memory by process accounting: every process of the system, those that ended included."""

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

import psutil

from concord.platform.states import memory_bytes


class Process(Protocol):
    """The part of a psutil process that is used here. Its CPU times have ``user`` and ``system``, and the same of
    children that ended (``children_user``, ``children_system``), in seconds."""

    @property
    def pid(self) -> int: ...

    def cpu_times(self) -> Any: ...

    def create_time(self) -> float: ...

    def name(self) -> str: ...

    def children(self, recursive: bool = False) -> Any: ...


@dataclass
class Account:
    """CPU seconds of one process tree, looked at every now and then.

    What a process has used is its own time and that of its children that ended and were waited for. A process whose
    parent did not wait keeps what was last seen of it.
    """

    root: Process
    _seen: dict[tuple[int, float], tuple[str, float]] = field(default_factory=dict)
    _inherited: dict[tuple[int, float], float] = field(default_factory=dict)

    def look(self) -> None:
        """Take down what every process of the tree has used until now."""
        for process in _tree(self.root):
            try:
                identity = (process.pid, process.create_time())
                times = process.cpu_times()
                self._seen[identity] = (process.name(), times.user + times.system)
                self._inherited[identity] = times.children_user + times.children_system
            except psutil.Error:
                continue

    def alive(self) -> set[tuple[int, float]]:
        found = set()
        for process in _tree(self.root):
            try:
                found.add((process.pid, process.create_time()))
            except psutil.Error:
                continue
        return found

    def seconds(self) -> float:
        """All CPU seconds so far. Ended children count once: with the parent that waited, else as last seen."""
        alive = self.alive()
        living = sum(used for identity, (_, used) in self._seen.items() if identity in alive)
        ended = sum(used for identity, (_, used) in self._seen.items() if identity not in alive)
        waited = sum(used for identity, used in self._inherited.items() if identity in alive)
        return living + max(ended, waited)

    def by_name(self) -> Mapping[str, float]:
        """CPU seconds of the processes seen, by program."""
        names: dict[str, float] = {}
        for name, used in self._seen.values():
            names[name] = names.get(name, 0.0) + used
        return names


def _tree(root: Process) -> list[Process]:
    try:
        return [root, *root.children(recursive=True)]
    except psutil.Error:
        return []


@dataclass
class Accounts:
    """The processes of a system by engine. CPU is counted from :meth:`begin` on; an engine that starts later, or
    again, counts from its start."""

    accounts: dict[tuple[str, int], Account] = field(default_factory=dict)
    _before: dict[tuple[str, int], float] = field(default_factory=dict)
    _programs_before: Counter[str] = field(default_factory=Counter)
    peak_bytes: int = 0
    peak_by_engine: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, pids: Mapping[str, int]) -> "Accounts":
        made = cls()
        made.follow(pids)
        return made

    def follow(self, pids: Mapping[str, int]) -> None:
        """Count these processes too; those that were followed before stay counted."""
        for name, pid in pids.items():
            if (name, pid) not in self.accounts:
                with suppress(psutil.Error):
                    self.accounts[name, pid] = Account(psutil.Process(pid))

    def begin(self) -> None:
        self.look()
        self._before = {key: account.seconds() for key, account in self.accounts.items()}
        self._programs_before = self._programs()

    def look(self) -> None:
        for account in self.accounts.values():
            account.look()

    def weigh(self) -> int:
        """The memory now, as summed PSS; the peak is kept."""
        now: Counter[str] = Counter()
        for name, pid in self.accounts:
            now[name] += memory_bytes(pid)
        for name, size in now.items():
            self.peak_by_engine[name] = max(size, self.peak_by_engine.get(name, 0))
        self.peak_bytes = max(self.peak_bytes, now.total())
        return now.total()

    def seconds(self) -> dict[str, float]:
        """CPU seconds by engine since the beginning."""
        self.look()
        used: dict[str, float] = {}
        for (name, pid), account in self.accounts.items():
            used[name] = used.get(name, 0.0) + account.seconds() - self._before.get((name, pid), 0.0)
        return used

    def by_program(self) -> dict[str, float]:
        """CPU seconds since the beginning by ``engine/program``."""
        return {name: used - self._programs_before[name] for name, used in self._programs().items()}

    def _programs(self) -> "Counter[str]":
        programs: Counter[str] = Counter()
        for (engine, _), account in self.accounts.items():
            for program, used in account.by_name().items():
                programs[f"{engine}/{program}"] += used  # type: ignore[assignment]
        return programs

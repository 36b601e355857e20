"""The memory of this process and of all below it."""

import re
from collections.abc import Mapping
from pathlib import Path

import psutil

DRIVER, JAVA, WORKERS = "driver", "java", "workers"


def memory_by_kind() -> Mapping[str, int]:
    """Bytes of this process, of Java, and of Spark's Python workers. Shared pages are divided among those who share."""
    own = psutil.Process()
    taken = {DRIVER: _bytes(own), JAVA: 0, WORKERS: 0}
    for child in own.children(recursive=True):
        taken[_kind(child)] += _bytes(child)
    return taken


def _kind(process: psutil.Process) -> str:
    try:
        return JAVA if process.name() == JAVA else WORKERS
    except psutil.Error:
        return WORKERS


def _bytes(process: psutil.Process) -> int:
    """PSS where the system counts it (Linux), else what is the process's alone; 0 once it has ended."""
    try:
        memory = process.memory_full_info()
    except psutil.Error:
        return 0
    return int(getattr(memory, "pss", memory.uss))


def peak_bytes(pid: int) -> int:
    """The most that a process has had in memory at once so far; where the system does not keep it, what it has now."""
    status = Path(f"/proc/{pid}/status")
    found = re.search(r"^VmHWM:\s+(\d+) kB", status.read_text(), re.MULTILINE) if status.is_file() else None
    return int(found[1]) * 1024 if found else int(psutil.Process(pid).memory_info().rss)

"""One batch at a time, and one maintenance: a lock that the operating system lets go of when its holder dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from concord.errors import Unavailable


@contextmanager
def lease(folder: Path, job: str = "batch") -> Iterator[None]:
    """Holds the job's lock in ``folder``. Raises :class:`Unavailable` naming the process that holds it already."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{job}.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise Unavailable(
                f"another {job} is being run by process {holder} (lock {file.name})", "try again when it is done"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield

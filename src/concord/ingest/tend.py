"""Connect restarts no task that failed, however passing the cause was; someone has to."""

from collections.abc import Callable

import structlog

from concord.errors import ConcordError
from concord.gateways.connect import Connect

EVERY_SECONDS = 5.0

_log = structlog.get_logger(__name__)


def tend(connect: Connect, wait: Callable[[float], bool]) -> None:
    """Restart what failed, look again, until ``wait`` says that it is time to stop.

    ``wait`` sleeps the seconds it is given and answers True to stop. A worker that does not answer is
    looked at again: the supervisor brings it back.
    """
    while True:
        restart_failed(connect)
        if wait(EVERY_SECONDS):
            return


def restart_failed(connect: Connect) -> list[str]:
    """One look at every connector; the names of those that had failed."""
    try:
        restarted = [name for name in connect.names() if connect.restart_failed(name)]
    except ConcordError as error:
        _log.warning("connect does not answer", error=error.message)
        return []
    for name in restarted:
        _log.warning("restarted a failed connector", connector=name)
    return restarted

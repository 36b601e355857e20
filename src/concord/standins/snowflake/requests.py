"""Requests run once: a driver that loses patience sends the same request again and must get the same answer."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from typing import Any

from starlette.responses import Response

PATIENCE_SECONDS = 40.0
"""After so long a driver is told to ask again; it gives up a silent connection after 60."""
REMEMBERED = 256
REMEMBERED_BYTES = 64 << 20

Task = asyncio.Task[Response]


class Requests:
    """Answers by request id, under way or given. The oldest ones are let go."""

    def __init__(self, patience: float = PATIENCE_SECONDS) -> None:
        self._patience = patience
        self._tasks: OrderedDict[str, Task] = OrderedDict()

    async def once(self, request_id: str, run: Callable[[], Coroutine[Any, Any, Response]]) -> Response | None:
        """The answer of ``run``, started unless this request is known; None while it is still at work.

        It runs to its end even if the client hangs up.
        """
        task = self._tasks.get(request_id)
        if task is None:
            task = self._tasks[request_id] = asyncio.create_task(run())
            task.add_done_callback(self._let_go)
        return await self._wait(task)

    async def answer_of(self, request_id: str) -> Response | None:
        """The answer of a request sent before; None while it is still at work. Raises :class:`KeyError`."""
        return await self._wait(self._tasks[request_id])

    async def _wait(self, task: Task) -> Response | None:
        try:
            return await asyncio.wait_for(asyncio.shield(task), self._patience)
        except TimeoutError:
            return None

    def _let_go(self, _done: Task) -> None:
        done = [(request_id, task) for request_id, task in self._tasks.items() if task.done()]
        size = sum(_size(task) for _, task in done)
        for request_id, task in done[:-1]:
            if len(self._tasks) <= REMEMBERED and size <= REMEMBERED_BYTES:
                return
            size -= _size(task)
            del self._tasks[request_id]


def _size(task: Task) -> int:
    is_failed = task.cancelled() or task.exception() is not None
    return 0 if is_failed else len(task.result().body)

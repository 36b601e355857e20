"""A request runs once, however often a driver sends it."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from starlette.responses import Response

from concord.standins.snowflake.requests import Requests


def _counting(runs: list[int], until: asyncio.Event | None = None) -> Callable[[], Coroutine[Any, Any, Response]]:
    async def run() -> Response:
        runs.append(1)
        if until is not None:
            await until.wait()
        return Response(f"run {len(runs)}")

    return run


def test_repeated_request_gets_the_first_answer() -> None:
    async def scene() -> None:
        requests, runs = Requests(), list[int]()
        answers = [await requests.once("r", _counting(runs)) for _ in range(3)]
        assert [answer.body for answer in answers if answer] == [b"run 1"] * 3

    asyncio.run(scene())


def test_slow_request_is_asked_for_again() -> None:
    async def scene() -> None:
        requests, runs, done = Requests(patience=0), list[int](), asyncio.Event()
        assert await requests.once("r", _counting(runs, done)) is None
        assert await requests.answer_of("r") is None
        done.set()
        await asyncio.sleep(0)
        patient = await requests.answer_of("r") or await requests.answer_of("r")
        assert patient is not None
        assert patient.body == b"run 1"

    asyncio.run(scene())


def test_unknown_request_has_no_answer() -> None:
    with pytest.raises(KeyError):
        asyncio.run(Requests().answer_of("never sent"))

"""Waiting for a condition, never for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(condition: Callable[[], T], timeout: float = 60.0, every: float = 0.2) -> T:
    """The first true answer of ``condition``.

    What it raises counts as not yet. After ``timeout`` seconds the last answer or error is the
    failure's text, so that a test says what it saw and not only that it waited.
    """
    deadline = time.monotonic() + timeout
    while True:
        answer, error = _try(condition)
        if answer:
            return answer
        if time.monotonic() > deadline:
            seen = repr(error) if error else repr(answer)
            raise AssertionError(f"not within {timeout:g} s; last seen: {seen}") from error
        time.sleep(every)


def _try(condition: Callable[[], T]) -> tuple[T | None, Exception | None]:
    try:
        return condition(), None
    except Exception as error:
        return None, error

"""Costs that a benchmark has measured, or the declared ones where none has been."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from concord.errors import Misconfigured

Costs = TypeVar("Costs")


def measured(path: Path, read: Callable[[Any], Costs], declared: tuple[Costs, str]) -> tuple[Costs, str]:
    """The costs and where they come from: a benchmark's file, or ``declared`` without it.

    Raises :class:`Misconfigured` if the file is there and says something else.
    """
    if not path.exists():
        return declared
    try:
        return read(json.loads(path.read_bytes())), path.name
    except ValueError as error:
        raise Misconfigured(f"{path} is not JSON: {error}") from None

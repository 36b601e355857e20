"""Costs that a benchmark has measured, or the declared ones where none has been."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from concord.errors import Misconfigured
from concord.settings import PROJECT

RESULTS = PROJECT / "docs" / "benchmarks"

Costs = TypeVar("Costs")
Document = Mapping[str, Any]
Rank = tuple[Any, ...]


def measured(
    folder: Path, rank: Callable[[Document], Rank | None], read: Callable[[Any], Costs], declared: tuple[Costs, str]
) -> tuple[Costs, str]:
    """The costs and where they come from: the result in ``folder`` that ranks highest, or ``declared`` if none does.

    ``rank`` is None for a result that is no source of these costs. Void ones are not asked about. Raises
    :class:`Misconfigured` for a file that is no result.
    """
    ranked = [(found, path) for path in sorted(folder.glob("*.json")) if (found := _ranked(path, rank))]
    if not ranked:
        return declared
    best = max(ranked)[1]
    return read(json.loads(best.read_bytes())), best.name


def _ranked(path: Path, rank: Callable[[Document], Rank | None]) -> Rank | None:
    try:
        document = json.loads(path.read_bytes())
        return None if document["is_void"] else rank(document)
    except ValueError as error:
        raise Misconfigured(f"{path} is not JSON: {error}") from None
    except (KeyError, TypeError, AttributeError) as error:
        raise Misconfigured(f"{path} is no result of a benchmark: {error!r}") from None

"""Costs that a benchmark has measured, or the declared ones where none has been."""

import json
from collections.abc import Callable, Mapping
from operator import itemgetter
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
    ranked = filter(None, (_ranked(path, rank) for path in folder.glob("*.json")))
    best = max(ranked, key=itemgetter(0, 1), default=None)
    if best is None:
        return declared
    _, name, document = best
    return read(document), name


def _ranked(path: Path, rank: Callable[[Document], Rank | None]) -> tuple[Rank, str, Document] | None:
    """The document with its rank and name, as far as it has a rank."""
    try:
        document = json.loads(path.read_bytes())
        found = None if document["is_void"] else rank(document)
        return (found, path.name, document) if found else None
    except ValueError as error:
        raise Misconfigured(f"{path} is not JSON: {error}") from None
    except (KeyError, TypeError, AttributeError) as error:
        raise Misconfigured(f"{path} is no result of a benchmark: {error!r}") from None

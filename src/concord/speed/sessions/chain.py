"""Ordered funnels of many sessions at once.

Events lie in one sequence, sorted by owner and order, so a session is a run of rows and "the first
event of a type after this one" a binary search among the rows of that type.
"""

from collections.abc import Sequence

import numpy as np

from concord.speed.sessions.rows import Numbers

NEVER = np.iinfo(np.int64).max
"""Stands for the row of a step that is not reached."""


def first_after(rows: Numbers, after: Numbers, until: Numbers) -> Numbers:
    """For each i the first of the sorted ``rows`` behind ``after[i]`` and before ``until[i]``, else NEVER."""
    found = np.append(rows, NEVER)[np.searchsorted(rows, after, side="right")]
    return np.where(found < until, found, NEVER)


def reached_rows(steps: Sequence[Numbers], starts: Numbers, ends: Numbers, known: Numbers) -> list[Numbers]:
    """The rows at which each further funnel step is reached.

    ``steps`` holds the sorted rows of each step's event type, ``known`` how many steps each session had
    reached before its rows ``starts`` to ``ends``: those come out as the row before the first.
    """
    reached: list[Numbers] = []
    last = starts - 1
    for number, rows in enumerate(steps, start=1):
        last = np.where(known >= number, starts - 1, first_after(rows, last, ends))
        reached.append(last)
    return reached


def depth(reached: Sequence[Numbers]) -> Numbers:
    """How many steps were reached."""
    counted: Numbers = np.add.reduce([rows != NEVER for rows in reached], axis=0, dtype=np.int64)
    return counted

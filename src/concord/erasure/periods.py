"""Histories with validity periods: versions that an erasure has made equal are one, as in a history built anew."""

from collections.abc import Sequence
from typing import Any

from concord.contracts.histories import USER_HISTORY, VERSION, tracked

Version = dict[str, Any]
"""One row of a history by column."""

TRACKED = tracked(USER_HISTORY)


def joined(versions: Sequence[Version]) -> list[Version]:
    """What is left of one user's, in their order, numbered anew. A delete between two keeps them apart."""
    left: list[Version] = []
    for version in versions:
        if left and _goes_on(left[-1], version):
            left[-1] = {**version, "valid_from": left[-1]["valid_from"]}
        else:
            left.append(version)
    return [{**version, VERSION.name: number} for number, version in enumerate(left, 1)]


def _goes_on(before: Version, version: Version) -> bool:
    return not before["is_deleted"] and all(before[name] == version[name] for name in TRACKED)

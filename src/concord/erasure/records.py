"""Change records as the documents that they are, fit or not."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from concord.landed.rows import document, mentioning


def documents(landed: pa.Table, number: int) -> Iterator[Mapping[str, Any]]:
    """The records in which the number stands."""
    for record in mentioning(landed, number)["value"].to_pylist():
        if (found := document(record)) is not None:
            yield found


def whole(value: object) -> int | None:
    """A whole number, sent as such or as text."""
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


_DIGITS = re.compile("[0-9]{1,19}", re.ASCII)

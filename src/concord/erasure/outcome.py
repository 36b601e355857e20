"""What an erasure does, and what a proof finds."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Done:
    """Rows (or snapshots, records, files) of one place that were erased, or would be."""

    place: str
    what: str
    count: int


@dataclass(frozen=True)
class Found:
    """What is left in one place. Without ``until`` nobody says when it will be gone."""

    place: str
    hits: int
    kept_by: str = ""
    until: datetime | None = None

    @property
    def is_settled(self) -> bool:
        """Nothing is there, or it is known when nothing will be."""
        return self.hits == 0 or self.until is not None

"""The models as SQL, from which their lineage is read: compiled once for each text of the project."""

import json
from datetime import UTC, datetime
from typing import Any

from concord.batch.build import Dbt
from concord.contracts.position import Position

AS_OF = datetime(2000, 1, 1, tzinfo=UTC)
"""A time that no batch has: where it stands in the SQL, the batch's own does."""


def compiled(dbt: Dbt) -> dict[str, Any]:
    """dbt's account of the project with the SQL of a full build. Asks the warehouse only where the text is new.

    Raises :class:`Misconfigured` if the project does not compile, :class:`Unavailable` if dbt or the warehouse breaks off.
    """
    kept = dbt.folder / f"compiled-{dbt.digest()}.json"
    if not kept.is_file():
        fresh = dbt.compile(AS_OF, Position())
        for older in dbt.folder.glob("compiled-*.json"):
            older.unlink()
        fresh.replace(kept)
    manifest: dict[str, Any] = json.loads(kept.read_text())
    return manifest

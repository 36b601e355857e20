"""A published batch by its name, for commands that look at one."""

from concord import bootstrap
from concord.batch.publish import publications
from concord.contracts.position import Publication
from concord.errors import Misconfigured
from concord.settings import Settings

SHOWN = 5


def batch(settings: Settings, batch_id: str | None) -> Publication:
    """The batch of that name, or the newest. Raises :class:`Misconfigured` if there is none."""
    with bootstrap.snowflake(settings) as warehouse:
        published = publications(warehouse)
    if not published:
        raise Misconfigured("no batch has been published yet", "concord batch run")
    if batch_id is None:
        return published[-1]
    for publication in published:
        if publication.batch_id == batch_id:
            return publication
    newest = ", ".join(publication.batch_id for publication in published[-SHOWN:])
    raise Misconfigured(f"batch {batch_id} was never published", f"the newest are: {newest}")

"""Lineage told to others: as OpenLineage events on standard output, or to a catalogue that collects them."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import JobEvent, RunEvent
from rich.markup import escape

from concord import bootstrap
from concord.cli.output import console, errors
from concord.errors import ConcordError, Misconfigured, Unavailable
from concord.governance.trail import newest_batch
from concord.lineage.graph import Graph
from concord.lineage.openlineage import Store, Stores, as_document, job_events, run_events
from concord.settings import Settings
from concord.telemetry.clock import now

UNCONFIGURED = "console"
"""What the client does with events when nothing says where to: it logs them."""
WAREHOUSE = ("raw", "staging", "intermediate", "marts", "seeds")


def tell(settings: Settings, known: Graph, is_sent: bool) -> None:
    """Print one event per line, or send them."""
    found = list(events(settings, known))
    if not is_sent:
        for event in found:
            sys.stdout.write(f"{json.dumps(as_document(event))}\n")
        return
    send(found)
    console.print(f"{len(found)} events sent", highlight=False)


def tell_batch(settings: Settings, known: Callable[[], Graph], batch_id: str, begun_at: datetime) -> None:
    """The runs of a batch that has just been published, to the catalogue if there is one.

    A catalogue that does not answer is told of and harms no batch.
    """
    if not has_catalogue():
        return
    try:
        send(list(run_events(known(), stores_of(settings), batch_id, begun_at, now())))
    except ConcordError as error:
        later = "`concord lineage --openlineage --send` tells it again"
        errors.print(f"[yellow]{escape(error.message)}[/yellow]; the batch is published, {later}", highlight=False)


def events(settings: Settings, known: Graph) -> Iterator[JobEvent | RunEvent]:
    """Of every job, and of the runs of the newest published batch."""
    stores = stores_of(settings)
    yield from job_events(known, stores, now())
    with bootstrap.snowflake(settings) as warehouse:
        newest = newest_batch(warehouse)
    if newest is not None and newest.batch_id is not None:
        ended_at = newest.begun_at + timedelta(seconds=float(newest.seconds))
        yield from run_events(known, stores, newest.batch_id, newest.begun_at, ended_at)


def stores_of(settings: Settings) -> Stores:
    """By what names other tools know the stores of this profile."""
    shop, speed, account = settings.postgres, settings.clickhouse, settings.snowflake
    warehouse = f"snowflake://{account.account}"
    return {
        "postgres": Store(f"postgres://{shop.host}:{shop.port}", f"{shop.database}.public."),
        "kafka": Store(f"kafka://{settings.kafka.bootstrap}"),
        "lake": Store(f"s3://{settings.object_store.bucket}", "ecommerce."),
        "speed": Store(f"clickhouse://{speed.host}:{speed.http_port}", "speed."),
        **{name: Store(warehouse, f"{account.database}.{name.upper()}.") for name in WAREHOUSE},
    }


def send(found: Sequence[JobEvent | RunEvent]) -> None:
    """To where the environment or an ``openlineage.yml`` says. Raises :class:`Misconfigured` if none says it, and
    :class:`Unavailable` if the catalogue does not take one."""
    if not has_catalogue():
        raise Misconfigured(
            "nothing says where to: no OPENLINEAGE_URL, no openlineage.yml",
            "OPENLINEAGE_URL=http://host:5000 concord lineage --openlineage --send",
        )
    client = OpenLineageClient()
    try:
        for event in found:
            client.emit(event)
    except Exception as error:  # the client raises what its transport does: requests', httpx', a broker's
        raise Unavailable(f"the catalogue did not take the events: {error}", "is OPENLINEAGE_URL right?") from error
    finally:
        client.close()


def has_catalogue() -> bool:
    """True if the environment or a file of the client's says where events go."""
    return OpenLineageClient().transport.kind != UNCONFIGURED

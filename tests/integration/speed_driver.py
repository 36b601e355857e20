"""The events query as a process of its own, over one topic and one database: something to kill.

    python -m tests.integration.speed_driver DATABASE TOPIC FOLDER FAILPOINT RECORDS

Ends by itself once its standard input has ended and it has no data left to read. RECORDS is how many a micro-batch
holds at most. The stack is the one that the environment names; where its profile keeps checkpoints on the object store,
they are there.
"""

import sys
from dataclasses import replace
from pathlib import Path

from concord import bootstrap
from concord.settings import load_settings
from concord.speed.checkpoints.folder import LocalFolder
from concord.speed.failpoint import Failpoint
from concord.speed.job import SESSION_OPTIONS, SpeedLayer
from concord.telemetry import logging
from concord.telemetry.clock import now


def main(database: str, topic: str, folder: str, failpoint: str = "", records: str = "40") -> None:
    logging.configure()
    settings = load_settings()
    layer = SpeedLayer(
        spark=bootstrap.spark_session(settings, f"test-{topic}", "1g", options=SESSION_OPTIONS),
        store=replace(bootstrap.clickhouse(settings, user="admin"), database=database),
        bootstrap=settings.kafka.bootstrap,
        checkpoints=bootstrap.checkpoint_store(settings) or LocalFolder(Path(folder)),
        trigger_seconds=1,
        max_offsets_per_trigger=int(records),
        clock=now,
        failpoint=Failpoint(failpoint),
        events_topic=topic,
        dead_letter_topic=f"dlq.{topic}",
    )
    query = layer.start_events()
    sys.stdin.read()
    query.processAllAvailable()
    query.stop()
    layer.spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])

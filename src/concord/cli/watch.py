"""``concord watch``: brings failed connectors back."""

import signal
from threading import Event

from concord import bootstrap
from concord.ingest.watch import watch as watch_connectors
from concord.settings import load_settings
from concord.telemetry import logging


def watch() -> None:
    """Restart connector tasks that failed, until SIGTERM. `concord up` starts it for you."""
    logging.configure()
    stop = Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    watch_connectors(bootstrap.connect(load_settings()), stop.wait)

"""``concord tend``: brings failed connectors back."""

import signal
from threading import Event

from concord import bootstrap
from concord.ingest.tend import tend as tend_connectors
from concord.settings import load_settings
from concord.telemetry import logging


def tend() -> None:
    """Restart connector tasks that failed, until SIGTERM. `concord up` starts it for you."""
    logging.configure()
    stop = Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    tend_connectors(bootstrap.connect(load_settings()), stop.wait)

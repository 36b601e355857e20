"""A stand-in of its own for tests: a process on a free port, its data in a folder that can outlive it."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
import psutil

from concord.gateways.snowflake import Snowflake
from tests.stack import TESTER

START_SECONDS = 60
STOP_SECONDS = 30
DATABASE = "ECOMMERCE_DW"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Server:
    """Running between ``with`` and its end."""

    folder: Path
    arguments: Sequence[str] = ()
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [sys.executable, "-m", "concord.standins.snowflake", "--port", str(self.port)]
        with (self.folder.parent / f"{self.folder.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--data-dir", str(self.folder), *self.arguments], stdout=log, stderr=subprocess.STDOUT
            )
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            assert self.process is not None
            assert self.process.poll() is None, f"the stand-in ended with {self.process.returncode}"
            try:
                if httpx.get(self.url, timeout=5).is_success:
                    return
            except httpx.TransportError:
                assert time.monotonic() < deadline, "the stand-in did not answer"
                time.sleep(0.1)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        return self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> int:
        process, self.process = self.process, None
        if process is None:
            return 0
        process.send_signal(how)
        return process.wait(STOP_SECONDS)

    def memory_bytes(self) -> int:
        assert self.process is not None
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def client(self, schema: str = "RAW", **changes: Any) -> Snowflake:
        """The gateway as the pipeline uses it."""
        settings: dict[str, Any] = {
            "account": "concord",
            "host": "127.0.0.1",
            "port": self.port,
            "protocol": "http",
            "user": "CONCORD",
            "password": "secret",
            "database": DATABASE,
            "schema": schema,
            "warehouse": "COMPUTE_WH",
            "role": "TRANSFORMER",
        }
        return Snowflake(**{**settings, **changes})

    def prepare(self) -> None:
        """The database and its schemas."""
        with self.client(role=TESTER) as client:
            client.execute(f"create database if not exists {DATABASE}")
            for schema in ("RAW", "STAGING", "MARTS"):
                client.execute(f"create schema if not exists {DATABASE}.{schema}")

    def __enter__(self) -> "Server":
        self.start()
        self.prepare()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

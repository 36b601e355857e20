"""Kafka Connect: connectors applied, watched and restarted through its REST interface."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpx
import stamina

from concord.errors import Misconfigured, Unavailable

ANSWER_SECONDS = 30
RUNNING = "RUNNING"
FAILED = "FAILED"
POLL_SECONDS = 0.2
CAUSE = "Caused by: "
BUSY = frozenset({HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE})
"""The worker is rebalancing or starting: ask again."""
REBALANCE = "rebalance"


@dataclass(frozen=True)
class Task:
    """One task, or the connector itself (``id`` −1). ``trace`` is empty unless it failed."""

    id: int
    state: str
    trace: str = ""

    @property
    def reason(self) -> str:
        """What began it: the last cause in its trace, else the first line, without the stack."""
        lines = [line.strip() for line in self.trace.splitlines() if line.strip()]
        causes = [line.removeprefix(CAUSE) for line in lines if line.startswith(CAUSE)]
        return (causes or lines[:1] or [""])[-1]


@dataclass(frozen=True)
class Status:
    """A connector and its tasks, as the worker last heard of them."""

    name: str
    connector: Task
    tasks: tuple[Task, ...]

    @property
    def is_running(self) -> bool:
        return bool(self.tasks) and all(part.state == RUNNING for part in (self.connector, *self.tasks))

    @property
    def failed(self) -> tuple[Task, ...]:
        return tuple(part for part in (self.connector, *self.tasks) if part.state == FAILED)


class _Busy(Exception):
    """The worker cannot answer now."""


class Connect:
    """One worker group, addressed by any worker's URL."""

    def __init__(self, url: str, transport: httpx.BaseTransport | None = None) -> None:
        self.url = url
        self._http = httpx.Client(base_url=url, timeout=ANSWER_SECONDS, transport=transport)

    def names(self) -> list[str]:
        """Every connector's name, in order."""
        return sorted(self._ask("GET", "/connectors").json())

    def config(self, name: str) -> dict[str, str] | None:
        """The connector's configuration as the worker holds it, None if there is no such connector."""
        answer = self._ask("GET", f"/connectors/{name}/config", missing_is_fine=True)
        return None if answer.status_code == HTTPStatus.NOT_FOUND else answer.json()

    def apply(self, name: str, config: Mapping[str, str]) -> bool:
        """Create or update the connector; True if that changed anything.

        The worker restarts a connector even where the configuration is the same, so it is not sent then.
        """
        wanted = {**config, "name": name}
        if self.config(name) == wanted:
            return False
        self._ask("PUT", f"/connectors/{name}/config", json=wanted)
        return True

    def status(self, name: str) -> Status:
        """Raises :class:`Misconfigured` if there is no such connector."""
        status = self._status(name)
        if status is None:
            raise Misconfigured(f"Kafka Connect at {self.url} has no connector {name}", "`concord up` applies it")
        return status

    def wait_running(self, name: str, timeout: float = 60) -> Status:
        """Its status once the connector and all its tasks run.

        Raises :class:`Unavailable` with the cause if one failed, or with the states last seen when
        the time is over.
        """
        deadline = time.monotonic() + timeout
        while True:
            status = self._status(name)
            if status is not None and status.failed:
                raise Unavailable(f"connector {name} failed: {status.failed[0].reason}", "concord logs connect")
            if status is not None and status.is_running:
                return status
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"connector {name} does not run after {timeout:g} s: {_states(status)}", "concord logs connect"
                )
            time.sleep(POLL_SECONDS)

    def restart_failed(self, name: str) -> bool:
        """Restart what failed of the connector; True if anything had."""
        if not self.status(name).failed:
            return False
        self._ask("POST", f"/connectors/{name}/restart", params={"includeTasks": "true", "onlyFailed": "true"})
        return True

    def delete(self, name: str) -> None:
        """Remove the connector; nothing happens if there is none."""
        self._ask("DELETE", f"/connectors/{name}", missing_is_fine=True)

    def _status(self, name: str) -> Status | None:
        """None while the worker has not heard of it."""
        answer = self._ask("GET", f"/connectors/{name}/status", missing_is_fine=True)
        return None if answer.status_code == HTTPStatus.NOT_FOUND else _status(answer.json())

    def _ask(self, method: str, path: str, *, missing_is_fine: bool = False, **request: Any) -> httpx.Response:
        try:
            for attempt in stamina.retry_context(on=(httpx.TransportError, _Busy), attempts=8, timeout=ANSWER_SECONDS):
                with attempt:
                    answer = self._http.request(method, path, **request)
                    if _is_busy(answer):
                        raise _Busy(_message(answer))
        except (httpx.TransportError, _Busy) as error:
            raise Unavailable(
                f"Kafka Connect at {self.url} does not answer {method} {path}: {error}", "concord status"
            ) from error
        if answer.is_error and not (missing_is_fine and answer.status_code == HTTPStatus.NOT_FOUND):
            raise _refusal(method, path, answer)
        return answer


def _is_busy(answer: httpx.Response) -> bool:
    """A rebalance comes as 409, and as 500 where the worker learns of it while it asks another one, or itself."""
    return answer.status_code in BUSY or (answer.is_server_error and REBALANCE in _message(answer))


def _refusal(method: str, path: str, answer: httpx.Response) -> Misconfigured | Unavailable:
    kind = Unavailable if answer.is_server_error else Misconfigured
    return kind(
        f"Kafka Connect answers {answer.status_code} to {method} {path}: {_message(answer)}", "concord logs connect"
    )


def _message(answer: httpx.Response) -> str:
    """Connect says what is wrong in a JSON field; other servers in between may say anything."""
    if "json" not in answer.headers.get("content-type", ""):
        return answer.text[:300]
    return str(answer.json().get("message", answer.text))


def _status(document: dict[str, Any]) -> Status:
    connector = document["connector"]
    tasks = (Task(task["id"], task["state"], task.get("trace", "")) for task in document["tasks"])
    return Status(document["name"], Task(-1, connector["state"], connector.get("trace", "")), tuple(tasks))


def _states(status: Status | None) -> str:
    if status is None:
        return "not started yet"
    return ", ".join(part.state for part in (status.connector, *status.tasks))

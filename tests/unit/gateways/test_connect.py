"""What the gateway asks of a Connect worker, and what it makes of the answers."""

import json
from collections.abc import Iterator

import httpx
import pytest
import stamina

from concord.errors import Misconfigured, Unavailable
from concord.gateways.connect import Connect, Task

TRACE = (
    "org.apache.kafka.connect.errors.ConnectException: Exiting WorkerSinkTask\n"
    "\tat org.apache.kafka.connect.runtime.WorkerSinkTask.deliverMessages(WorkerSinkTask.java:637)\n"
    "Caused by: java.lang.IllegalStateException: table is gone\n"
    "\tat org.example.Writer.write(Writer.java:1)\n"
)


class Worker:
    """A worker in memory. ``states`` are the task states it reports, one after the other."""

    def __init__(self, states: list[str] | None = None) -> None:
        self.configs: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        self.busy = 0
        self.busy_with = (409, "rebalance in progress")
        self._states = states or ["RUNNING"]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url.path}")
        if self.busy:
            self.busy -= 1
            code, message = self.busy_with
            return httpx.Response(code, json={"error_code": code, "message": message})
        match request.url.path.split("/")[1:]:
            case ["connectors"]:
                return httpx.Response(200, json=[*self.configs])
            case ["connectors", name, "config"]:
                return self._config(request, name)
            case ["connectors", name, "status"]:
                return self._status(name)
            case ["connectors", name] if request.method == "DELETE":
                return httpx.Response(204 if self.configs.pop(name, None) else 404, json={"message": "no such"})
            case _:
                return httpx.Response(204)

    def _config(self, request: httpx.Request, name: str) -> httpx.Response:
        if request.method == "PUT":
            self.configs[name] = json.loads(request.content)
        if name not in self.configs:
            return httpx.Response(404, json={"error_code": 404, "message": f"{name} not found"})
        return httpx.Response(200, json=self.configs[name])

    def _status(self, name: str) -> httpx.Response:
        if name not in self.configs:
            return httpx.Response(404, json={"error_code": 404, "message": f"{name} not found"})
        state = self._states.pop(0) if len(self._states) > 1 else self._states[0]
        task = {"id": 0, "state": state, **({"trace": TRACE} if state == "FAILED" else {})}
        return httpx.Response(200, json={"name": name, "connector": {"state": "RUNNING"}, "tasks": [task]})


@pytest.fixture(autouse=True)
def _without_waiting() -> Iterator[None]:
    stamina.set_testing(True, attempts=5)
    yield
    stamina.set_testing(False)


def connected(worker: Worker) -> Connect:
    return Connect("http://worker.invalid", httpx.MockTransport(worker))


def test_a_connector_is_created_under_its_name() -> None:
    worker = Worker()
    assert connected(worker).apply("shop", {"tasks.max": "1"})
    assert worker.configs == {"shop": {"name": "shop", "tasks.max": "1"}}


def test_a_connector_that_is_there_already_is_not_sent_again() -> None:
    worker = Worker()
    connect = connected(worker)
    connect.apply("shop", {"tasks.max": "1"})
    assert not connect.apply("shop", {"tasks.max": "1"})
    assert worker.asked.count("PUT /connectors/shop/config") == 1


def test_a_changed_connector_is_sent() -> None:
    worker = Worker()
    connect = connected(worker)
    connect.apply("shop", {"tasks.max": "1"})
    assert connect.apply("shop", {"tasks.max": "2"})


@pytest.mark.parametrize(
    "answer",
    [
        (409, "rebalance in progress"),
        (500, "Request cannot be completed because a rebalance is expected"),
        (503, "starting"),
    ],
)
def test_a_rebalancing_worker_is_asked_again(answer: tuple[int, str]) -> None:
    worker = Worker()
    worker.busy, worker.busy_with = 2, answer
    assert connected(worker).names() == []
    assert len(worker.asked) == 3


def test_running_is_waited_for() -> None:
    worker = Worker(["UNASSIGNED", "RUNNING"])
    connect = connected(worker)
    connect.apply("shop", {})
    assert connect.wait_running("shop", timeout=5).is_running


def test_a_failed_task_is_unavailable_for_the_reason_that_began_it() -> None:
    connect = connected(Worker(["FAILED"]))
    connect.apply("shop", {})
    with pytest.raises(Unavailable, match=r"connector shop failed: java\.lang\.IllegalStateException: table is gone"):
        connect.wait_running("shop", timeout=5)


def test_a_connector_that_never_starts_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="connector shop does not run after 0 s: not started yet"):
        connected(Worker()).wait_running("shop", timeout=0)


def test_what_failed_is_restarted() -> None:
    worker = Worker(["FAILED", "RUNNING"])
    connect = connected(worker)
    connect.apply("shop", {})
    assert connect.restart_failed("shop")
    assert not connect.restart_failed("shop")
    assert worker.asked.count("POST /connectors/shop/restart") == 1


def test_a_connector_that_is_not_there_is_misconfigured() -> None:
    with pytest.raises(Misconfigured, match="has no connector shop"):
        connected(Worker()).status("shop")


def test_deleting_twice_is_deleting_once() -> None:
    connect = connected(Worker())
    connect.apply("shop", {})
    connect.delete("shop")
    connect.delete("shop")
    assert connect.names() == []


def test_a_worker_that_does_not_answer_is_unavailable() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused", request=request)

    with pytest.raises(Unavailable, match=r"http://worker.invalid does not answer GET /connectors: connection refused"):
        Connect("http://worker.invalid", httpx.MockTransport(refuse)).names()


def test_a_refused_configuration_is_misconfigured_in_the_workers_words() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        return httpx.Response(404 if request.method == "GET" else 400, json={"message": "no connector.class"})

    with pytest.raises(Misconfigured, match=r"no connector\.class"):
        Connect("http://worker.invalid", httpx.MockTransport(refuse)).apply("shop", {})


def test_a_trace_without_causes_gives_its_first_line() -> None:
    assert Task(0, "FAILED", "java.lang.Error: boom\n\tat x").reason == "java.lang.Error: boom"

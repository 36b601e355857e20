"""Events leave for a catalogue as its interface wants them, and one that is not there is named."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from concord.cli.openlineage import send, tell_batch
from concord.errors import Misconfigured, Unavailable
from concord.lineage.graph import Graph, copies
from concord.lineage.openlineage import job_events
from concord.settings import load_settings

GRAPH = Graph.of(copies("raw.orders", "kafka.orders", {"id": "id"}, "load"))
EVENTS = list(job_events(GRAPH, {}, datetime.now(UTC)))
BEGUN_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Catalogue(HTTPServer):
    """Takes events over HTTP."""

    taken: list[tuple[str, Any]]


class Taking(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((self.path, json.loads(body)))  # type: ignore[attr-defined]
        self.send_response(201)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def catalogue() -> Iterator[Catalogue]:
    server = Catalogue(("127.0.0.1", 0), Taking)
    server.taken = []
    Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the client looks for its file; nothing is said by the environment."""
    monkeypatch.delenv("OPENLINEAGE_URL", raising=False)
    monkeypatch.delenv("OPENLINEAGE_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def configured(folder: Path, port: int) -> None:
    transport = {"type": "http", "url": f"http://127.0.0.1:{port}", "retry": {"total": 0}}
    (folder / "openlineage.yml").write_text(json.dumps({"transport": transport}))


def test_events_are_sent_to_the_catalogue(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENLINEAGE_URL", f"http://127.0.0.1:{catalogue.server_port}")
    send(EVENTS)
    ((path, event),) = catalogue.taken
    assert path == "/api/v1/lineage"
    assert (event["job"]["name"], event["outputs"][0]["name"]) == ("load", "orders")


def test_the_client_may_have_a_file_instead(catalogue: Catalogue, folder: Path) -> None:
    configured(folder, catalogue.server_port)
    send(EVENTS)
    assert len(catalogue.taken) == 1


def test_nowhere_to_send_them_is_told() -> None:
    with pytest.raises(Misconfigured, match="OPENLINEAGE_URL"):
        send(EVENTS)


def test_a_catalogue_that_is_not_there_is_named(folder: Path) -> None:
    configured(folder, 1)
    with pytest.raises(Unavailable, match="did not take the events"):
        send(EVENTS)


def test_a_batch_is_told_to_the_catalogue_with_its_beginning_and_its_end(catalogue: Catalogue, folder: Path) -> None:
    configured(folder, catalogue.server_port)
    for _ in range(2):
        tell_batch(load_settings(), lambda: GRAPH, "000007-abc", BEGUN_AT)
    told = [(event["eventType"], event["job"]["name"]) for _, event in catalogue.taken]
    assert told == [("START", "load"), ("COMPLETE", "load")] * 2
    assert catalogue.taken[0][1]["eventTime"] == BEGUN_AT.isoformat()
    assert len({event["run"]["runId"] for _, event in catalogue.taken}) == 1, "told twice, it is one run"


def test_without_a_catalogue_no_lineage_is_worked_out() -> None:
    def unwanted() -> Graph:
        raise AssertionError

    tell_batch(load_settings(), unwanted, "000007-abc", BEGUN_AT)


def test_a_catalogue_that_is_not_there_harms_no_batch(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configured(folder, 1)
    tell_batch(load_settings(), lambda: GRAPH, "000007-abc", BEGUN_AT)
    assert "did not take the events" in (said := " ".join(capsys.readouterr().err.split()))
    assert "the batch is published, `concord lineage --openlineage --send` tells it again" in said

"""The server as a process: what survives it, who may log in, what a repeated request does."""

import gzip
import http.client
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from concord.errors import Misconfigured, Unavailable
from tests.conformance.snowflake.server import DATABASE, Server, free_port

pytestmark = pytest.mark.conformance


IDLE_SECONDS = 6.0
"""More than many servers leave a connection open."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture(scope="module", autouse=True)
def idle(server: Server) -> Iterator[tuple[http.client.HTTPConnection, float]]:
    """A connection that is left alone while other tests run, and since when."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("GET", "/")
    connection.getresponse().read()
    yield connection, time.monotonic()
    connection.close()


def _fill(server: Server) -> None:
    with server.client() as client:
        client.execute(
            "create table RAW.kept (id number not null, name varchar(30), at timestamp_ntz default current_timestamp())"
        )
        client.execute("create view MARTS.kept as select id from RAW.kept")
        with client.transaction():
            client.execute("insert into RAW.kept (id, name) values (1, 'one'), (2, 'two')")


def _check(server: Server) -> None:
    with server.client() as client:
        assert client.query("select id, name from RAW.kept order by id") == [(1, "one"), (2, "two")]
        assert client.query("select count(*) from MARTS.kept") == [(2,)]
        described = client.records("describe table RAW.kept")
        assert [column["type"] for column in described] == ["NUMBER(38,0)", "VARCHAR(30)", "TIMESTAMP_NTZ(9)"]
        assert client.execute("insert into RAW.kept (id) values (3)") == 1
        client.execute("delete from RAW.kept where id = 3")


def test_committed_rows_survive_a_kill_and_clients_go_on(folder: Path) -> None:
    with Server(folder) as server, server.client() as client, server.client() as other:
        _fill(server)
        assert client.query("select count(*) from RAW.kept") == [(2,)]
        other.execute("begin")
        other.execute("delete from RAW.kept")
        server.kill()
        server.start()
        assert client.query("select count(*) from RAW.kept") == [(2,)]
        _check(server)


def test_rows_survive_a_stop_and_a_second_stop(folder: Path) -> None:
    with Server(folder) as server:
        _fill(server)
        for _ in range(2):
            assert server.stop() == 0
            assert not list(folder.glob("*.wal")), "a stopped server leaves everything in its database files"
            server.start()
            _check(server)


def test_second_server_on_the_same_folder_is_refused(folder: Path) -> None:
    with Server(folder):
        command = [sys.executable, "-m", "concord.standins.snowflake", "--port", str(free_port())]
        second = subprocess.run(
            [*command, "--data-dir", str(folder)], capture_output=True, text=True, timeout=60, check=False
        )
    assert second.returncode != 0
    assert str(folder) in second.stderr
    assert "Traceback" not in second.stderr


def test_only_the_password_opens_it(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("secret\n")
    with Server(folder, arguments=("--user", "concord", "--password-file", str(secret))) as server:
        with pytest.raises(Misconfigured, match="refuses user CONCORD"):
            server.client(password="wrong").query("select 1")
        with pytest.raises(Misconfigured, match="refuses user SOMEBODY"):
            server.client(user="SOMEBODY").query("select 1")
        assert server.client().query("select 1") == [(1,)]


def test_server_that_is_not_there_is_named() -> None:
    port = free_port()
    with pytest.raises(Unavailable, match=f"127.0.0.1:{port}"):
        Server(Path(), port=port).client().query("select 1")


def test_server_that_has_gone_is_named_at_once(folder: Path) -> None:
    with Server(folder) as server, server.client() as client:
        assert client.query("select 1") == [(1,)]
        server.kill()
        with pytest.raises(Unavailable, match=f"127.0.0.1:{server.port}"):
            client.query("select 1")


def _login(server: Server) -> str:
    document = {"data": {"LOGIN_NAME": "u", "PASSWORD": "p", "SESSION_PARAMETERS": {}}}
    address = f"{server.url}/session/v1/login-request?databaseName={DATABASE}&schemaName=RAW"
    return str(httpx.post(address, json=document).json()["data"]["token"])


def _send(server: Server, token: str, sql: str, request_id: str) -> dict[str, Any]:
    headers = {"Authorization": f'Snowflake Token="{token}"', "Content-Encoding": "gzip"}
    address = f"{server.url}/queries/v1/query-request?requestId={request_id}"
    answer: dict[str, Any] = httpx.post(
        address, content=gzip.compress(json.dumps({"sqlText": sql}).encode()), headers=headers
    ).json()
    return answer


def test_repeated_request_runs_once(server: Server) -> None:
    token = _login(server)
    _send(server, token, "create or replace table RAW.once (i number)", "r1")
    answers = [_send(server, token, "insert into RAW.once values (1)", "r2") for _ in range(3)]
    assert [answer["data"]["rowset"] for answer in answers] == [[["1"]]] * 3
    with server.client() as client:
        assert client.query("select count(*) from RAW.once") == [(1,)]


def test_unknown_session_is_told_so(server: Server) -> None:
    answer = _send(server, "no such token", "select 1", "r3")
    assert (answer["success"], answer["code"]) == (False, "390111")


def test_file_without_its_signature_is_refused(server: Server) -> None:
    assert httpx.put(f"{server.url}/stages/ECOMMERCE_DW/RAW/S/x.csv", content=b"1").status_code == 403


def test_missing_database_is_not_made_by_a_login(server: Server) -> None:
    with server.client(database="NOT_THERE") as client, pytest.raises(Misconfigured, match="database"):
        client.execute("create table t (i number)")


CONNECTIONS = """
import socket, sys
from concord.gateways.snowflake import Snowflake
made = set()
sys.addaudithook(lambda event, args: made.add(str(args[1])) if event == "socket.connect" else None)
sys.addaudithook(lambda event, args: made.add(str(args[0])) if event == "socket.getaddrinfo" else None)
port = int(sys.argv[1])
with Snowflake(account="concord", host="127.0.0.1", port=port, protocol="http", user="U", password="p",
               database="ECOMMERCE_DW", schema="RAW", warehouse="W", role="R") as client:
    client.query("select 1")
    try:
        client.query("select * from nothing")
    except Exception:
        print(*sorted(made), sep="\\n")
"""


def test_driver_speaks_to_nobody_else(server: Server) -> None:
    command = [sys.executable, "-c", CONNECTIONS, str(server.port)]
    spoken_to = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.split("\n")
    assert {line for line in spoken_to if line} <= {"127.0.0.1", f"('127.0.0.1', {server.port})"}


def test_port_in_use_is_an_error(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        command = [sys.executable, "-m", "concord.standins.snowflake", "--port", str(taken.getsockname()[1])]
        ended = subprocess.run(
            [*command, "--data-dir", str(folder)], capture_output=True, text=True, timeout=60, check=False
        )
    assert ended.returncode != 0


def test_an_idle_connection_stays_open(idle: tuple[http.client.HTTPConnection, float]) -> None:
    """A driver that finds an old connection open sends an upload on it, and does not send it again."""
    connection, since = idle
    time.sleep(max(0.0, since + IDLE_SECONDS - time.monotonic()))
    assert connection.sock is not None
    connection.sock.settimeout(0.2)
    with pytest.raises(TimeoutError):
        connection.sock.recv(1)

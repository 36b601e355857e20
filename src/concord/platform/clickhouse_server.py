"""A ClickHouse server out of the engine library, for machines without the ``clickhouse`` program.

The library's entry point is that of ``clickhouse-local``, which opens the HTTP and TCP listeners on
request. They live as long as its last statement runs, so the last one sleeps for ever, until it is
killed by a request over HTTP. Its user cannot be given a password, so it has no right but to do this.
"""

import argparse
import ctypes
import os
import signal
import threading
from collections.abc import Sequence
from pathlib import Path

import httpx

from concord.platform.readiness import http_answers

POLL_SECONDS = 0.1
STOP_WITHIN_SECONDS = 50
HOLD = "holds the listeners open"


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT, then stop as a server stops; exits 1 if the engine ends by itself."""
    options = _parser().parse_args(arguments)
    engine = threading.Thread(target=_run_engine, args=(options.library, _engine_arguments(options)), daemon=True)
    engine.start()
    _wait_until_listening(engine, f"{_address(options)}/ping")
    # Not earlier: the engine installs handlers of its own while it starts.
    asked_to_stop = _stop_event()
    while engine.is_alive() and not asked_to_stop.wait(POLL_SECONDS):
        pass
    if engine.is_alive():
        _end_last_statement(options)
        engine.join(STOP_WITHIN_SECONDS)
    # The library has threads that never end: leave without waiting for them.
    os._exit(0 if asked_to_stop.is_set() else 1)


def _address(options: argparse.Namespace) -> str:
    return f"http://{options.host}:{options.http_port}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True, help="holds config.xml, users.xml and data/")
    parser.add_argument("--host", required=True)
    parser.add_argument("--http-port", type=int, required=True)
    parser.add_argument("--tcp-port", type=int, required=True)
    return parser


def _engine_arguments(options: argparse.Namespace) -> list[str]:
    statements = (
        "SYSTEM START LISTEN HTTP",
        "SYSTEM START LISTEN TCP",
        f"SELECT sleepEachRow(1) FROM system.numbers FORMAT Null SETTINGS max_block_size = 1, log_comment = '{HOLD}'",
    )
    return [
        "clickhouse",
        f"--config-file={options.folder / 'config.xml'}",
        f"--path={options.folder / 'data'}",
        "--log-level=information",
        f"--listen_host={options.host}",
        f"--http_port={options.http_port}",
        f"--tcp_port={options.tcp_port}",
        "--query",
        "; ".join(statements),
    ]


def _run_engine(library: Path, arguments: list[str]) -> None:
    """Blocks as long as the server lives; other Python threads run meanwhile."""
    entry_point = ctypes.CDLL(str(library), mode=os.RTLD_NOW | os.RTLD_LOCAL).query_stable_v2
    entry_point.restype = ctypes.c_void_p
    entry_point.argtypes = [ctypes.c_int, ctypes.POINTER(ctypes.c_char_p)]
    values = (ctypes.c_char_p * (len(arguments) + 1))(*(argument.encode() for argument in arguments), None)
    entry_point(len(arguments), values)


def _wait_until_listening(engine: threading.Thread, ping: str) -> None:
    """Ends also if the engine does; a start that takes long is left to whoever watches readiness."""
    pause = threading.Event()
    while engine.is_alive() and not http_answers(ping):
        pause.wait(POLL_SECONDS)


def _end_last_statement(options: argparse.Namespace) -> None:
    statement = f"KILL QUERY WHERE Settings['log_comment'] = '{HOLD}' ASYNC"
    httpx.post(_address(options), content=statement, trust_env=False).raise_for_status()


def _stop_event() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


if __name__ == "__main__":
    main()

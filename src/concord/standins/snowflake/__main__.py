"""``python -m concord.standins.snowflake --port 28085 --data-dir DIR``: run the server until SIGTERM."""

import logging
import signal
import sys
from pathlib import Path
from typing import Annotated

import structlog
import typer
import uvicorn

from concord.errors import ConcordError, Misconfigured
from concord.standins.snowflake import translation
from concord.standins.snowflake.app import Account, application
from concord.standins.snowflake.engine import MEMORY_LIMIT, Engine

KEEP_ALIVE_SECONDS = 600
"""Longer than a driver keeps an idle connection: one that the server closes may be just about to carry an upload."""
GRACE_SECONDS = 5


def serve(
    data_dir: Annotated[Path, typer.Option(help="Where the databases lie; made if it is not there.")],
    port: Annotated[int, typer.Option(help="Port to listen on.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    user: Annotated[
        str | None, typer.Option(envvar="CONCORD_STANDIN_SNOWFLAKE_USER", help="The only user; any if not given.")
    ] = None,
    password: Annotated[
        str | None,
        typer.Option(envvar="CONCORD_STANDIN_SNOWFLAKE_PASSWORD", help="The user's password; open if not given."),
    ] = None,
    password_file: Annotated[Path | None, typer.Option(help="File with the password.")] = None,
    memory_limit: Annotated[
        str, typer.Option(help="What the engine may take before it writes to disk.")
    ] = MEMORY_LIMIT,
    threads: Annotated[int, typer.Option(help="Threads of the engine.")] = 2,
    record: Annotated[
        Path | None, typer.Option(help="Also note every statement's text and role in this file: it may name persons.")
    ] = None,
    verbose: Annotated[bool, typer.Option(help="Log every statement.")] = False,
) -> None:
    """Run a local server that speaks Snowflake's protocol. GET / answers 200 when it is ready."""
    _log_to_stdout(logging.DEBUG if verbose else logging.INFO)
    translation.install()
    account = Account(user, _password(password, password_file))
    # the server goes down in order first, and then raises the signal again
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    app = application(Engine(data_dir, memory_limit, threads, record), account)
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )


def _password(given: str | None, file: Path | None) -> str | None:
    if file is None:
        return given
    try:
        return file.read_text().strip()
    except OSError as error:
        raise Misconfigured(f"password file {file}: {error.strerror}") from None


def _log_to_stdout(level: int) -> None:
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for noisy in ("sqlglot", "fakesnow", "snowflake.connector"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    structlog.configure(
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )


def main() -> None:
    try:
        typer.run(serve)
    except ConcordError as error:
        sys.exit(f"error: {error.message}\n{error.hint}".strip())


if __name__ == "__main__":
    main()

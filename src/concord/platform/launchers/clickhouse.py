"""ClickHouse: the installed server where there is one, else the engine library run as a server."""

import hashlib
import json
import shutil
import uuid
from pathlib import Path
from string import Template

from concord.contracts import names
from concord.platform import installed
from concord.platform.engine import Engine, Launch
from concord.platform.install.locks import CLICKHOUSE_LIBRARY
from concord.platform.launchers.own_python import module_command
from concord.platform.readiness import http_answers
from concord.settings import PROJECT, Settings

NAME = "clickhouse"
TEMPLATES = PROJECT / "engines" / "clickhouse"
READER_SHARE = 4
"""One reader's query may use this part of the server's memory: a quarter."""
SPILL_SHARE = 4
"""From this part of it on, a quarter, its grouping and its sorting go to disk: a query may do several at once."""


def engine(settings: Settings) -> Engine:
    """The speed layer's store."""
    address = settings.clickhouse
    return Engine(
        name=NAME,
        version=_version(),
        ports=(address.http_port, address.tcp_port),
        launch=lambda: _launch(settings),
        is_ready=lambda: http_answers(f"http://{address.host}:{address.http_port}/ping"),
    )


def _version() -> str:
    dependencies = json.loads((CLICKHOUSE_LIBRARY / "package.json").read_text())["dependencies"]
    return str(next(iter(dependencies.values())))


def _folder(settings: Settings) -> Path:
    return settings.home / NAME


def _launch(settings: Settings) -> Launch:
    folder = _folder(settings)
    return Launch(
        command=_command(settings),
        files={folder / "config.xml": _configuration(settings), folder / "users.xml": users_file(settings)},
        prepare=lambda: _declare_databases(folder / "data" / "metadata"),
        stop_within_seconds=60,
    )


def _command(settings: Settings) -> tuple[str, ...]:
    """The same configuration files serve both ways of running it."""
    configuration = _folder(settings) / "config.xml"
    if binary := shutil.which("clickhouse"):
        return (binary, "server", f"--config-file={configuration}")
    address = settings.clickhouse
    return module_command(
        "concord.platform.clickhouse_server",
        *("--library", str(installed.clickhouse_library(settings))),
        *("--folder", str(_folder(settings)), "--host", address.host),
        *("--http-port", str(address.http_port), "--tcp-port", str(address.tcp_port)),
    )


def _configuration(settings: Settings) -> str:
    address = settings.clickhouse
    return Template((TEMPLATES / "config.xml.in").read_text()).substitute(
        host=address.host,
        http_port=address.http_port,
        tcp_port=address.tcp_port,
        folder=_folder(settings),
        max_memory_bytes=address.max_memory_bytes,
    )


def users_file(settings: Settings) -> str:
    reader_memory_bytes = settings.clickhouse.max_memory_bytes // READER_SHARE
    return Template((TEMPLATES / "users.xml.in").read_text()).substitute(
        {user: _password_hash(settings, user) for user in ("admin", "writer", "reader")},
        database=names.SPEED_DATABASE,
        reader_memory_bytes=reader_memory_bytes,
        reader_spill_bytes=reader_memory_bytes // SPILL_SHARE,
    )


def _password_hash(settings: Settings, user: str) -> str:
    return hashlib.sha256(settings.secret(f"clickhouse_{user}").get_secret_value().encode()).hexdigest()


def _declare_databases(metadata: Path) -> None:
    """Both must be on disk from the first start on.

    A ``system`` database that the engine makes for itself lives in memory: the query log in it is
    lost with the first stop, and its table cannot be made again.
    """
    metadata.mkdir(parents=True, exist_ok=True)
    for database in ("system", names.SPEED_DATABASE):
        declaration = metadata / f"{database}.sql"
        if not declaration.exists():
            declaration.write_text(f"ATTACH DATABASE _ UUID '{uuid.uuid4()}'\nENGINE = Atomic\n")

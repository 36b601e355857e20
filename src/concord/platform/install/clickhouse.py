"""ClickHouse's engine library: a package of npm's, pinned by its integrity, and its one file by SHA-256."""

import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from concord.errors import ConcordError, Misconfigured, Unavailable
from concord.platform.install import folders, hashes, stamps
from concord.platform.install.locks import CLICKHOUSE_LIBRARY, LockedLibrary, locked_library
from concord.platform.install.progress import Advance, Downloads
from concord.settings import Settings

FILE_NAME = "libchdb.so"
# npm keeps the package's archive beside what it unpacks.
ARCHIVE_BYTES = 178_000_000
ROOM = 1400 << 20
OLDEST_NPM = 7
PATIENCE_SECONDS = 1800


def folder(settings: Settings) -> Path:
    return settings.cache / "clickhouse"


def missing(settings: Settings) -> list[str]:
    """What is lacking; empty if the library is there."""
    return stamps.missing(folder(settings), _fingerprint(locked_library()))


def install(settings: Settings, downloads: Downloads) -> None:
    """Fetch the library, unless the right one is there already."""
    library, place = locked_library(), folder(settings)
    if hashes.holds(place / FILE_NAME, library.sha256):
        stamps.write(place, _fingerprint(library))
        return
    folders.require_room(settings.cache, ROOM, "the ClickHouse library")
    staged = folders.staging(settings.cache, "clickhouse")
    if not hashes.holds(staged / library.path_in_package, library.sha256):
        _fetch(staged, library, downloads)
    folders.publish(_laid_out(staged, library), place)
    shutil.rmtree(staged)


def _fingerprint(library: LockedLibrary) -> str:
    return stamps.fingerprint({FILE_NAME: library.sha256})


def _laid_out(staged: Path, library: LockedLibrary) -> Path:
    source = staged / library.path_in_package
    hashes.refuse_unless_equal(FILE_NAME, hashes.sha256_of(source), library.sha256)
    prepared = staged / "prepared"
    shutil.rmtree(prepared, ignore_errors=True)
    folders.open_to_all(prepared)
    source.rename(prepared / FILE_NAME)
    (prepared / FILE_NAME).chmod(0o755)
    stamps.write(prepared, _fingerprint(library))
    return prepared


def _fetch(staged: Path, library: LockedLibrary, downloads: Downloads) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(CLICKHOUSE_LIBRARY / name, staged / name)
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")
    patience = ("--fetch-retries=2", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000")
    command = [str(_npm()), "ci", *quiet, *patience, "--cache", str(staged / "npm-cache")]
    with downloads.file(FILE_NAME, ARCHIVE_BYTES + library.size) as advance, _running(command, staged) as npm:
        output = _follow(npm, staged, advance)
    if npm.returncode != 0:
        raise _failure(output)


@contextmanager
def _running(command: list[str], where: Path) -> Iterator[subprocess.Popen[str]]:
    """A child that does not outlive us, also when we are interrupted."""
    with subprocess.Popen(command, cwd=where, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as child:
        try:
            yield child
        finally:
            child.terminate()


def _follow(npm: subprocess.Popen[str], staged: Path, advance: Advance) -> str:
    """What npm printed; while it works the bar shows what has reached the disk, for npm itself shows no sizes."""
    seen = 0
    for _ in range(PATIENCE_SECONDS * 2):
        try:
            return npm.communicate(timeout=0.5)[0]
        except subprocess.TimeoutExpired:
            now = _bytes_in(staged)
            advance(now - seen)
            seen = now
    raise Unavailable(f"npm did not fetch the ClickHouse library within {PATIENCE_SECONDS} s", "check the network")


def _bytes_in(place: Path) -> int:
    """Bytes below a folder in which another process adds and removes files."""
    total = 0
    for path in place.rglob("*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue
    return total


def _failure(output: str) -> ConcordError:
    """npm's complaint in our words; its codes are stable, its sentences are not."""
    last_lines = "; ".join(output.strip().splitlines()[:3])
    if "ENOSPC" in output:
        return Misconfigured(
            "no disk space left while npm unpacked the ClickHouse library", "free some space, or set CONCORD_CACHE"
        )
    if "EINTEGRITY" in output:
        return Misconfigured(f"{FILE_NAME}: npm refused the package, its content is not the locked one: {last_lines}")
    if "EBADPLATFORM" in output:
        return Misconfigured(
            "the ClickHouse library exists for Linux x86-64 only", "see README.md, what is tested where"
        )
    return Unavailable(
        f"{FILE_NAME} cannot be fetched by npm: {last_lines}",
        "check the network, the proxy (HTTPS_PROXY) and npm's registry; then run concord setup again",
    )


def _npm() -> Path:
    """The machine's npm, which knows the machine's settings; else the one of the environment's packages."""
    scripts = Path(sysconfig.get_path("scripts"))
    of_machine = shutil.which("npm")
    return Path(of_machine) if of_machine and _is_recent(of_machine) else scripts / "npm"


def _is_recent(npm: str) -> bool:
    """Whether it runs at all and reads the form of our lock file."""
    try:
        version = subprocess.run([npm, "--version"], capture_output=True, text=True, timeout=60).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return False
    major = version.partition(".")[0]
    return major.isdecimal() and int(major) >= OLDEST_NPM

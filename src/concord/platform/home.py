"""The home folder: whether it is Concord's, what in it is, and how much room it has."""

import shutil
from collections.abc import Callable
from pathlib import Path

from concord.errors import Misconfigured
from concord.platform import secret_files
from concord.platform.catalogue import engines
from concord.settings import Settings

GIBIBYTE = 1 << 30
ROOM_ADVISED, ROOM_NEEDED = 6 * GIBIBYTE, 2 * GIBIBYTE

LOCK = "lock"
RUNS = ("supervisor", "batch", "ledger", "reconcile", "quality", "logs", "audit", "erasures")
"""What is kept beside the engines' folders."""


def free_bytes(folder: Path) -> int:
    """What an unprivileged user may still write on the file system that ``folder`` is or will be on."""
    nearest = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    return shutil.disk_usage(nearest).free


def require_room(home: Path, free: Callable[[Path], int] = free_bytes) -> None:
    """Raises :class:`Misconfigured` where the engines would soon run out of disk space."""
    found = free(home)
    if found < ROOM_NEEDED:
        says = f"too little disk space to start: {found / GIBIBYTE:.1f} GiB free at {home}"
        needed = f"{ROOM_NEEDED // GIBIBYTE} GiB are needed, {ROOM_ADVISED // GIBIBYTE} GiB advised"
        raise Misconfigured(f"{says}, {needed}", "free some space there, or set CONCORD_HOME to a larger disk")


def make(home: Path) -> None:
    """The folder is there afterwards. Raises :class:`Misconfigured` where it cannot be made."""
    try:
        home.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError, PermissionError) as error:
        raise Misconfigured(
            f"home folder {home} cannot be made: {error.strerror}", "set CONCORD_HOME to a folder of yours"
        ) from None


def is_empty(settings: Settings) -> bool:
    """Nothing was ever kept there, or a reset took it away."""
    home = settings.home
    return not home.exists() or (home.is_dir() and {entry.name for entry in home.iterdir()} <= {LOCK})


def require_ours(settings: Settings) -> None:
    """Raises :class:`Misconfigured` if what ``home`` holds was not made by Concord, or lies elsewhere.

    The secrets tell: they are made first and deleted last.
    """
    if not any((settings.secrets / name).is_file() for name in secret_files.NAMES):
        stranger = f"{settings.home} is not a home of Concord's: it holds none of its secrets"
        raise Misconfigured(stranger, "nothing was deleted; is CONCORD_HOME what you meant?")
    for folder in _folders(settings):
        _require_inside(folder)


def delete_all(settings: Settings) -> None:
    """Nothing of ours is left but the lock."""
    for folder in _folders(settings):
        shutil.rmtree(folder)


def _folders(settings: Settings) -> list[Path]:
    """By name: whatever else somebody keeps there is not ours to delete."""
    names = (*engines(settings), *RUNS, settings.secrets.name)
    return [folder for name in names if (folder := settings.home / name).is_dir()]


def _require_inside(folder: Path) -> None:
    if folder.is_symlink():
        leads_away = f"{folder} is a link to {folder.resolve()}: only what lies in the home folder is deleted"
        raise Misconfigured(leads_away, "nothing was deleted; delete that folder and the link, then try again")

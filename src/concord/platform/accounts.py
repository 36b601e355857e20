"""Whom a process runs as, where root itself is refused."""

import os
import pwd
import subprocess
from collections.abc import Sequence
from pathlib import Path

from concord.errors import Misconfigured, Unavailable

UNPRIVILEGED = "nobody"


def unprivileged_user() -> str | None:
    """The user to hand a process to; ``None`` where we are unprivileged already."""
    return UNPRIVILEGED if os.geteuid() == 0 else None


def own(path: Path, user: str | None) -> None:
    """Hand ``path`` to ``user``, or leave it ours."""
    if user is not None:
        account = pwd.getpwnam(user)
        os.chown(path, account.pw_uid, account.pw_gid)


def check_reachable(path: Path, user: str | None) -> None:
    """Every folder above ``path`` can be entered by ``user``; else :class:`Misconfigured` names the one that cannot."""
    for folder in path.parents if user else ():
        if folder.exists() and not folder.stat().st_mode & 0o001:
            raise Misconfigured(
                f"folder {folder} cannot be entered by user {user}, who runs PostgreSQL when Concord runs as root",
                f"chmod o+x {folder}, or choose another folder by CONCORD_HOME and CONCORD_CACHE",
            )


def run_first(command: Sequence[str], folder: Path, user: str | None) -> None:
    """Run what an engine needs once before its first start; its output becomes the error if it fails."""
    group = pwd.getpwnam(user).pw_gid if user else None
    done = subprocess.run(
        command,
        cwd=folder,
        user=user,
        group=group,
        extra_groups=[] if user else None,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        program = Path(command[0]).name
        raise Unavailable(f"{program} failed with exit code {done.returncode}", done.stdout.strip()[-2000:])

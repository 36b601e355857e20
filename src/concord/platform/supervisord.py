"""Our supervisord: its configuration, its start, and questions to it over its socket.

One program per engine, each in a file of its own, so that one engine can be changed and restarted
without a glance at the others. A program that dies is started again by supervisord itself.
"""

import configparser
import os
import shlex
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, cast

from supervisor.xmlrpc import Faults, SupervisorTransport  # type: ignore[import-untyped]

from concord.errors import Misconfigured, Unavailable
from concord.platform.engine import Launch

STARTS_WITHIN_SECONDS = 20
POLL_SECONDS = 0.1
SOCKET_PATH_LIMIT = 100
"""Unix sockets have room for a path of 107 characters; the others need a few for a name in front."""

MAIN = """\
[supervisord]
logfile={folder}/supervisord.log
logfile_maxbytes=10MB
logfile_backups=2
pidfile={folder}/supervisord.pid
directory={home}
childlogdir={home}/logs
umask=022
{user}
[unix_http_server]
file={folder}/supervisor.sock
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://{folder}/supervisor.sock

[include]
files={folder}/programs/*.conf
"""

PROGRAM = """\
[program:{name}]
command={command}
directory={directory}
environment={environment}
autostart=false
autorestart=true
startsecs=2
startretries=3
stopsignal={stop_signal}
stopwaitsecs={stop_within_seconds}
stopasgroup=false
killasgroup=true
redirect_stderr=true
stdout_logfile={log}
stdout_logfile_maxbytes=20MB
stdout_logfile_backups=3
{user}
"""


@dataclass(frozen=True)
class ProcessState:
    """One program as supervisord sees it; while it does not run, ``pid`` is 0. ``started_at`` in epoch seconds."""

    word: str
    pid: int
    started_at: int

    @property
    def is_running(self) -> bool:
        return self.word in ("STARTING", "RUNNING")

    @property
    def has_given_up(self) -> bool:
        return self.word in ("FATAL", "EXITED", "UNKNOWN")


ABSENT = ProcessState("STOPPED", 0, 0)


class Supervisord:
    """The supervisor of the engines whose data lie under ``home``."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.folder = home / "supervisor"
        self.log = self.folder / "supervisord.log"
        self._socket = self.folder / "supervisor.sock"

    def log_of(self, name: str) -> Path:
        return self.home / "logs" / f"{name}.log"

    def is_running(self) -> bool:
        try:
            self._ask("getState")
        except Unavailable:
            return False
        return True

    def pid(self) -> int:
        return int(self._ask("getPID"))

    def ensure_running(self) -> None:
        """Start supervisord, detached from this process and without its Concord settings, unless it runs."""
        if self.is_running():
            return
        self._lay_out()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CONCORD_")}
        command = (sys.executable, "-m", "supervisor.supervisord", "-c", str(self.folder / "supervisord.conf"))
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode != 0 or not _becomes_true(self.is_running, STARTS_WITHIN_SECONDS):
            raise Unavailable("supervisord does not start", (done.stdout + done.stderr).strip() or f"see {self.log}")

    def _lay_out(self) -> None:
        if len(str(self._socket)) > SOCKET_PATH_LIMIT:
            too_long = f"home folder {self.home}: the path is too long for a Unix socket"
            raise Misconfigured(too_long, "set CONCORD_HOME to a shorter one")
        programs = self.folder / "programs"
        programs.mkdir(parents=True, exist_ok=True)
        (self.home / "logs").mkdir(exist_ok=True)
        # Programs of an earlier run are written again when they are started.
        for program in programs.glob("*.conf"):
            program.unlink()
        text = MAIN.format(folder=self.folder, home=self.home, user=_user_line("root" if os.geteuid() == 0 else None))
        _write_private(self.folder / "supervisord.conf", text)

    def configure(self, name: str, launch: Launch) -> None:
        """Make ``launch`` what is started next under ``name``; stops what runs there if it differs."""
        _write_private(self._program(name), self._program_text(name, launch))
        added, changed, _ = self._ask("reloadConfig")[0]
        if name in changed:
            self.stop(name)
            self._ask("removeProcessGroup", name)
        if name in changed or name in added:
            self._ask("addProcessGroup", name)

    def configured_commands(self) -> list[tuple[str, ...]]:
        """What supervisord was last told to run, also if it does not run itself any more."""
        programs = configparser.RawConfigParser()
        programs.read(self.folder.glob("programs/*.conf"))
        sections = (programs[name] for name in programs.sections())
        return [tuple(shlex.split(section["command"].replace("%%", "%"))) for section in sections]

    def would_change(self, name: str, launch: Launch) -> bool:
        """Whether ``name`` was last configured in another way, or never."""
        program = self._program(name)
        return not program.exists() or program.read_text() != self._program_text(name, launch)

    def _program(self, name: str) -> Path:
        return self.folder / "programs" / f"{name}.conf"

    def _program_text(self, name: str, launch: Launch) -> str:
        environment = dict(launch.environment) | {"CONCORD_LAUNCH_DIGEST": launch.digest()}
        return PROGRAM.format(
            name=name,
            command=" ".join(_quoted(word) for word in launch.command),
            directory=self.home / name,
            environment=",".join(f'{key}="{_escaped(value)}"' for key, value in environment.items()),
            stop_signal=launch.stop_signal,
            stop_within_seconds=launch.stop_within_seconds,
            log=self.log_of(name),
            user=_user_line(launch.user),
        )

    def start(self, name: str) -> None:
        """Start ``name`` and return at once."""
        self._ask("startProcess", name, False, unless=Faults.ALREADY_STARTED)

    def stop(self, name: str) -> None:
        """Stop ``name`` and wait until it is gone."""
        self._ask("stopProcess", name, True, unless=Faults.NOT_RUNNING)

    def state(self, name: str) -> ProcessState:
        return self.states().get(name, ABSENT)

    def states(self) -> dict[str, ProcessState]:
        """Every program that was started since supervisord was."""
        return {
            process["name"]: ProcessState(process["statename"], process["pid"], process["start"])
            for process in self._ask("getAllProcessInfo")
        }

    def shutdown(self) -> None:
        """End supervisord; it ends what it still runs."""
        self._ask("shutdown")

    def _ask(self, method: str, *arguments: object, unless: int | None = None) -> Any:
        """One remote call; the fault ``unless`` counts as done."""
        transport = cast(xmlrpc.client.Transport, SupervisorTransport(serverurl=f"unix://{self._socket}"))
        try:
            with xmlrpc.client.ServerProxy("http://localhost", transport=transport) as server:
                return getattr(server.supervisor, method)(*arguments)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode == unless:
                return None
            refusal = f"supervisord refuses {method}{arguments}: {fault.faultString}"
            raise Unavailable(refusal, f"see {self.log}") from fault
        except (OSError, HTTPException) as error:
            raise Unavailable(f"supervisord does not answer at {self._socket}", "concord up starts it") from error


def _becomes_true(condition: Callable[[], bool], within_seconds: float) -> bool:
    deadline = time.monotonic() + within_seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(POLL_SECONDS)
    return False


def _user_line(user: str | None) -> str:
    return f"user={user}\n" if user else ""


def _escaped(value: str) -> str:
    """supervisord expands percent signs and reads backslashes and quotes."""
    return value.replace("%", "%%").replace("\\", "\\\\").replace('"', '\\"')


def _quoted(word: str) -> str:
    return f'"{_escaped(word)}"'


def _write_private(path: Path, text: str) -> None:
    """The file holds passwords."""
    path.touch(mode=0o600)
    path.write_text(text)

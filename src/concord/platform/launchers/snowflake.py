"""The warehouse's stand-in: a server that speaks Snowflake's protocol, its data on disk."""

from importlib.metadata import version
from pathlib import Path

from concord.platform.engine import Engine, Launch
from concord.platform.launchers.own_python import module_command, settings_environment
from concord.platform.readiness import http_answers
from concord.settings import Settings

NAME = "snowflake"


def engine(settings: Settings) -> Engine:
    """Not Snowflake: an emulator. A profile with a real account has no use for it."""
    address = settings.snowflake
    return Engine(
        name=NAME,
        version=version("fakesnow"),
        ports=(address.port,),
        is_stand_in=True,
        launch=lambda: _launch(settings),
        is_ready=lambda: http_answers(f"{address.protocol}://{address.host}:{address.port}/"),
    )


def statements_file(settings: Settings) -> Path:
    """Where each statement is noted if the settings ask for it."""
    return settings.home / NAME / "statements.jsonl"


def _launch(settings: Settings) -> Launch:
    address = settings.snowflake
    place = ("--host", address.host, "--port", str(address.port), "--data-dir", str(settings.home / NAME / "data"))
    login = ("--user", address.user, "--password-file", str(settings.secrets / "snowflake_password"))
    record = ("--record", str(statements_file(settings))) if address.record_statements else ()
    return Launch(
        command=module_command("concord.standins.snowflake", *place, *login, *record),
        environment=settings_environment(settings),
        prepare=lambda: (settings.home / NAME / "data").mkdir(exist_ok=True),
    )

"""The secrets of a local stack: random, made once, one file each, readable by their owner alone."""

import os
import secrets

from concord.settings import Settings

NAMES = (
    "postgres_superuser",
    "postgres_shop",
    "postgres_cdc",
    "s3_access_key",
    "s3_secret_key",
    "s3_encryption_key",
    "clickhouse_admin",
    "clickhouse_writer",
    "clickhouse_reader",
    "snowflake_password",
)


def create_missing(settings: Settings) -> None:
    """Every secret has a file afterwards; one that is there is never changed."""
    settings.secrets.mkdir(parents=True, exist_ok=True)
    settings.secrets.chmod(0o700)
    for name in NAMES:
        if not (settings.secrets / name).exists():
            _create(settings, name)


def _create(settings: Settings, name: str) -> None:
    """Hexadecimal: needs no quoting in any of the engines' configuration languages.

    In place only once it is whole: half a secret on a full disk would be taken for one ever after.
    """
    partial = settings.secrets / f".{name}.part"
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(secrets.token_hex(24))
    partial.replace(settings.secrets / name)

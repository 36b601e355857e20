"""Where everything is and how large it may be: one frozen object, complete or refused.

Order of precedence: environment (``CONCORD_POSTGRES__PORT=…``), then the profile. The profile is a
TOML file, named by ``CONCORD_PROFILE`` as a word (a file of ``profiles/``) or as a path.
"""

import os
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from concord.contracts.warehouse import SUSPEND_SECONDS
from concord.errors import Misconfigured

PROJECT = Path(__file__).resolve().parents[2]
"""The checkout: engines/, dbt_project/, profiles/ and schemas/ lie here."""

DEFAULT_PROFILE = "local"


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Postgres(Section):
    host: str
    port: int
    database: str


class Kafka(Section):
    bootstrap: str
    controller_port: int = 0
    heap: str = "512m"

    @property
    def port(self) -> int:
        return int(self.bootstrap.rsplit(":", 1)[1])


class Connect(Section):
    url: str
    heap: str = "1g"

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 80


class ObjectStore(Section):
    endpoint: str
    region: str
    bucket: str
    admin_port_base: int = 0

    @property
    def port(self) -> int:
        return urlsplit(self.endpoint).port or 443


class Lake(Section):
    uri: str
    warehouse: str

    @property
    def port(self) -> int:
        return urlsplit(self.uri).port or 443


class ClickHouse(Section):
    host: str
    http_port: int
    tcp_port: int
    max_memory_bytes: int = 4 << 30


class Snowflake(Section):
    account: str
    host: str
    port: int
    protocol: str
    database: str
    warehouse: str
    role: str
    user: str
    load_warehouse: str = "LOAD_WH"
    load_role: str = "LOADER"
    """What writes RAW; ``warehouse`` and ``role`` are what builds the models."""
    report_warehouse: str = "REPORT_WH"
    report_role: str = "REPORTER"
    """What answers `concord query`."""
    auto_suspend_seconds: int = Field(default=SUSPEND_SECONDS, ge=60, le=86_400)
    """Idle time after which a warehouse stops; the account counts in minutes, so less than 60 saves nothing."""


class Spark(Section):
    master: str
    speed_memory: str
    batch_memory: str
    trigger_seconds: int
    max_offsets_per_trigger: int
    failpoints: bool = False
    """For drills alone: a file in the speed layer's folder may name a step at which the driver is killed."""
    checkpoints: str = Field(default="", pattern=r"^$|^s3a://[^/]+(/.*)?$")
    """Where the speed layer's checkpoints are: ``s3a://bucket/prefix`` on the object store, encrypted; empty: at home."""


class Telemetry(Section):
    """What the speed layer tells Prometheus and tracing, and the targets it is held to. Port 0: nothing is served."""

    metrics_host: str = "127.0.0.1"
    metrics_port: int = Field(default=0, ge=0, le=65_535)
    target_events_per_second: float = Field(default=20_000, gt=0)
    freshness_target_seconds: float = Field(default=5, gt=0)
    slow_query_seconds: float = Field(default=1, gt=0)
    traces: bool = False
    """Keep a trace per micro-batch in ``speed/traces`` under the home folder, as JSON lines."""
    otlp_endpoint: str = ""
    """Send them to this OpenTelemetry collector instead (``http://host:4318``)."""


class Settings(BaseSettings):
    """One profile, resolved. ``home`` holds all data and survives ``down``; ``cache`` holds downloads."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix="CONCORD_",
        env_nested_delimiter="__",
        nested_model_default_partial_update=True,
    )

    profile: str = DEFAULT_PROFILE
    home: Path
    cache: Path
    postgres: Postgres
    kafka: Kafka
    connect: Connect
    object_store: ObjectStore
    lake: Lake
    clickhouse: ClickHouse
    snowflake: Snowflake
    spark: Spark
    telemetry: Telemetry = Telemetry()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, _profile_file())

    @cached_property
    def secrets(self) -> Path:
        """The folder of secret files, one per name, as a mounted Kubernetes Secret would be."""
        return self.home / "secrets"

    def secret(self, name: str) -> SecretStr:
        """The secret called ``name``. Raises :class:`Misconfigured` if it is not there."""
        try:
            return SecretStr((self.secrets / name).read_text().strip())
        except FileNotFoundError:
            raise Misconfigured(f"secret {name} is missing from {self.secrets}", "concord up creates it") from None


def _profile_file() -> Path:
    name = os.environ.get("CONCORD_PROFILE", DEFAULT_PROFILE)
    path = Path(name) if name.endswith(".toml") else PROJECT / "profiles" / f"{name}.toml"
    if not path.is_file():
        raise Misconfigured(
            f"profile {name}: no such file {path}", "set CONCORD_PROFILE to a file of profiles/ or a path"
        )
    return path


def _as_root() -> bool:
    return os.geteuid() == 0


def _default_folders() -> dict[str, Path]:
    """PostgreSQL refuses root, so root's data lies where an unprivileged user can reach it."""
    if _as_root():
        return {"home": Path("/var/lib/concord"), "cache": Path("/var/cache/concord")}
    user = Path.home()
    return {"home": user / ".local/share/concord", "cache": user / ".cache/concord"}


def load_settings() -> Settings:
    """The settings of this process. Raises :class:`Misconfigured` naming the key at fault."""
    defaults = {key: path for key, path in _default_folders().items() if f"CONCORD_{key.upper()}" not in os.environ}
    try:
        return Settings(**defaults)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise Misconfigured(f"setting {key}: {first['msg']} (value: {first.get('input')!r})") from None


def child_environment(**variables: str) -> dict[str, str]:
    """The environment of a child process: this one's, with ``variables`` on top."""
    return {**os.environ, **variables}

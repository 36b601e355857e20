"""Where everything is and how large it may be: one frozen object, complete or refused.

Order of precedence: environment (``CONCORD_POSTGRES__PORT=…``), then the profile. The profile is a
TOML file, named by ``CONCORD_PROFILE`` as a word (a file of ``profiles/``) or as a path.
"""

import os
import re
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError
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

HIGHEST_PORT = 65_535
_JAVA_SIZE = re.compile("[1-9][0-9]*[kmgKMG]")
UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
SPARK_NEEDS_BYTES = 512 << 20
"""Spark refuses to start with less than 450 MiB."""
CLICKHOUSE_NEEDS_BYTES = 512 << 20


def java_bytes(size: str) -> int:
    """The bytes of a size as Java spells it: 512m, 3g."""
    return int(size[:-1]) * UNITS[size[-1].lower()]


def _java_size(size: str) -> str:
    if not _JAVA_SIZE.fullmatch(size):
        raise ValueError("is no size such as 512m or 3g")
    return size


def _enough_for_spark(size: str) -> str:
    if java_bytes(size) < SPARK_NEEDS_BYTES:
        raise ValueError(f"Spark needs {SPARK_NEEDS_BYTES >> 20}m or more")
    return size


def _addresses(text: str) -> str:
    """``host:port``, several with commas between."""
    for address in text.split(","):
        host, _, port = address.strip().rpartition(":")
        if not (host and port.isdecimal() and 0 < int(port) <= HIGHEST_PORT):
            raise ValueError(f"{address.strip()!r} is not host:port")
    return text


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        is_complete = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_complete = False
    if not is_complete:
        raise ValueError("is not http://host:port or https://host:port")
    return text


Port = Annotated[int, Field(ge=1, le=HIGHEST_PORT)]
OptionalPort = Annotated[int, Field(ge=0, le=HIGHEST_PORT)]
"""0: there is none."""
JavaSize = Annotated[str, AfterValidator(_java_size)]
SparkMemory = Annotated[JavaSize, AfterValidator(_enough_for_spark)]
Addresses = Annotated[str, AfterValidator(_addresses)]
Url = Annotated[str, AfterValidator(_url)]
OptionalUrl = Annotated[str, AfterValidator(lambda text: _url(text) if text else text)]
"""Empty: there is none."""


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Postgres(Section):
    host: str
    port: Port
    database: str


class Kafka(Section):
    bootstrap: Addresses
    controller_port: OptionalPort = 0
    heap: JavaSize = "512m"

    @property
    def port(self) -> int:
        return int(self.bootstrap.rsplit(":", 1)[1])


class Connect(Section):
    url: Url
    heap: JavaSize = "1g"

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 80


class ObjectStore(Section):
    endpoint: Url
    region: str
    bucket: str
    admin_port_base: OptionalPort = 0

    @property
    def port(self) -> int:
        return urlsplit(self.endpoint).port or 443


class Lake(Section):
    uri: Url
    warehouse: str

    @property
    def port(self) -> int:
        return urlsplit(self.uri).port or 443


class ClickHouse(Section):
    host: str
    http_port: Port
    tcp_port: Port
    max_memory_bytes: int = Field(default=4 << 30, ge=CLICKHOUSE_NEEDS_BYTES)


class Snowflake(Section):
    account: str
    host: str
    port: Port
    protocol: Literal["http", "https"]
    database: str
    warehouse: str
    role: str
    user: str
    private_key_file: Path | None = None
    """The user logs in by key pair instead of a password: PKCS#8 without a passphrase, in the folder of secrets unless
    the path is absolute."""
    load_warehouse: str = "LOAD_WH"
    load_role: str = "LOADER"
    """What writes RAW; ``warehouse`` and ``role`` are what builds the models."""
    report_warehouse: str = "REPORT_WH"
    report_role: str = "REPORTER"
    """What answers `concord query`."""
    record_statements: bool = False
    """For tests: the local server notes each statement with its text, which may name persons."""
    auto_suspend_seconds: int = Field(default=SUSPEND_SECONDS, ge=60, le=86_400)
    """Idle time after which a warehouse stops; the account counts in minutes, so less than 60 saves nothing."""


class Spark(Section):
    master: str
    speed_memory: SparkMemory
    batch_memory: SparkMemory
    trigger_seconds: int = Field(ge=1, le=3600)
    max_offsets_per_trigger: int = Field(ge=1, le=10_000_000)
    failpoints: bool = False
    """For drills alone: a file in the speed layer's folder may name a step at which the driver is killed."""
    checkpoints: str = Field(default="", pattern=r"^$|^s3a://[^/]+(/.*)?$")
    """Where the speed layer's checkpoints are: ``s3a://bucket/prefix`` on the object store, encrypted; empty: at home."""


class Telemetry(Section):
    """What the speed layer tells Prometheus and tracing, and the targets it is held to. Port 0: nothing is served."""

    metrics_host: str = "127.0.0.1"
    metrics_port: OptionalPort = 0
    target_events_per_second: float = Field(default=20_000, gt=0)
    freshness_target_seconds: float = Field(default=5, gt=0)
    slow_query_seconds: float = Field(default=1, gt=0)
    traces: bool = False
    """Keep a trace per micro-batch in ``speed/traces`` under the home folder, as JSON lines."""
    otlp_endpoint: OptionalUrl = ""
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
    """The settings of this process. Raises :class:`Misconfigured` naming the key at fault, its value and its place."""
    defaults = {key: path for key, path in _default_folders().items() if f"CONCORD_{key.upper()}" not in os.environ}
    try:
        return Settings(**defaults)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        fault = first["msg"].removeprefix("Value error, ")
        raise Misconfigured(f"setting {key}: {fault} (value: {first.get('input')!r})", _to_do(key)) from None


def _to_do(key: str) -> str:
    """Where the setting comes from: the environment goes before the profile."""
    variable = f"CONCORD_{key.replace('.', '__').upper()}"
    if variable in os.environ:
        return f"change {variable}, which the environment has"
    return f"change it in {_profile_file()}, or set {variable} in the environment"


def child_environment(**variables: str) -> dict[str, str]:
    """The environment of a child process: this one's, with ``variables`` on top."""
    return {**os.environ, **variables}

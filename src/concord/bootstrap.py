"""Turns settings into gateways: the only place where an address meets a client."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from concord.contracts import names
from concord.contracts.warehouse import ADMINISTRATOR
from concord.errors import Misconfigured
from concord.gateways.clickhouse import ClickHouse
from concord.gateways.connect import Connect
from concord.gateways.kafka import Kafka
from concord.gateways.lake import SPARK_EXTENSIONS, Lake
from concord.gateways.object_store import ObjectStore
from concord.gateways.postgres import Postgres
from concord.gateways.snowflake import Snowflake
from concord.gateways.spark import end_session
from concord.gateways.spark import spark_session as session
from concord.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SPARK_JAR_SETS = ("spark-arrow", "spark")
"""In the order of the class path: the newer Arrow goes before what pyspark ships."""
STORE_JAR_SET = "spark-s3"
"""What Spark needs to keep checkpoints on the object store."""

PKCS8 = "-----BEGIN PRIVATE KEY-----"
"""How a private key begins that needs no passphrase."""

POSTGRES_SECRETS = {
    names.OWNER_ROLE: "postgres_shop",
    names.CDC_ROLE: "postgres_cdc",
    "postgres": "postgres_superuser",
}


def postgres(settings: Settings, role: str = names.OWNER_ROLE, database: str | None = None) -> Postgres:
    """The source database, as one of its roles. Raises :class:`Misconfigured` for an unknown role."""
    if role not in POSTGRES_SECRETS:
        raise Misconfigured(f"PostgreSQL role {role} is not one of {', '.join(POSTGRES_SECRETS)}")
    return Postgres(
        host=settings.postgres.host,
        port=settings.postgres.port,
        database=database or settings.postgres.database,
        user=role,
        password=settings.secret(POSTGRES_SECRETS[role]).get_secret_value(),
    )


def kafka(settings: Settings) -> Kafka:
    """The broker."""
    return Kafka(settings.kafka.bootstrap)


def connect(settings: Settings) -> Connect:
    """The Kafka Connect worker's REST interface."""
    return Connect(settings.connect.url)


def lake(settings: Settings) -> Lake:
    """The Iceberg catalog and the object store behind it."""
    return Lake(
        uri=settings.lake.uri,
        warehouse=settings.lake.warehouse,
        s3_endpoint=settings.object_store.endpoint,
        region=settings.object_store.region,
        access_key=settings.secret("s3_access_key").get_secret_value(),
        secret_key=settings.secret("s3_secret_key").get_secret_value(),
    )


def checkpoint_store(settings: Settings) -> ObjectStore | None:
    """Where the speed layer's checkpoints lie on the object store; None if they are kept in the home folder."""
    if not settings.spark.checkpoints:
        return None
    return ObjectStore(
        settings.spark.checkpoints,
        endpoint=settings.object_store.endpoint,
        region=settings.object_store.region,
        access_key=settings.secret("s3_access_key").get_secret_value(),
        secret_key=settings.secret("s3_secret_key").get_secret_value(),
    )


def document_store(settings: Settings) -> ObjectStore:
    """Where documents lie: beside the lake's bucket, which some catalogs keep for tables alone."""
    return _bucket(settings, f"{settings.object_store.bucket}-documents")


def lake_bucket(settings: Settings) -> ObjectStore:
    """The bucket of the lake's tables."""
    return _bucket(settings, settings.object_store.bucket)


def _bucket(settings: Settings, name: str) -> ObjectStore:
    return ObjectStore(
        f"s3a://{name}",
        endpoint=settings.object_store.endpoint,
        region=settings.object_store.region,
        access_key=settings.secret("s3_access_key").get_secret_value(),
        secret_key=settings.secret("s3_secret_key").get_secret_value(),
    )


def clickhouse(settings: Settings, user: str = "writer") -> ClickHouse:
    """The speed layer's store, as ``admin``, ``writer`` or ``reader``."""
    return ClickHouse(
        host=settings.clickhouse.host,
        port=settings.clickhouse.http_port,
        user=user,
        password=settings.secret(f"clickhouse_{user}").get_secret_value(),
        database=names.SPEED_DATABASE,
    )


def snowflake(settings: Settings, schema: str = "RAW") -> Snowflake:
    """The warehouse for whoever builds the models; ``schema`` is where unqualified names are looked up."""
    key = private_key(settings)
    return Snowflake(
        account=settings.snowflake.account,
        host=settings.snowflake.host,
        port=settings.snowflake.port,
        protocol=settings.snowflake.protocol,
        user=settings.snowflake.user,
        password=None if key else settings.secret("snowflake_password").get_secret_value(),
        private_key_file=key,
        database=settings.snowflake.database,
        schema=schema,
        warehouse=settings.snowflake.warehouse,
        role=settings.snowflake.role,
    )


def private_key(settings: Settings) -> Path | None:
    """The key that the warehouse's user logs in with; None where it is a password.

    Raises :class:`Misconfigured` if it is not there, or nobody could use it: drivers, connector and dbt ask for no passphrase.
    """
    named = settings.snowflake.private_key_file
    if named is None:
        return None
    path = settings.secrets / named
    try:
        first = path.read_text().partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"setting snowflake.private_key_file: cannot read {path}: {error}") from None
    if first != PKCS8:
        raise Misconfigured(
            f"setting snowflake.private_key_file: {path} begins with {first[:40]!r}, not with {PKCS8!r}",
            "openssl pkcs8 -topk8 -nocrypt -in KEY -out KEY.p8",
        )
    return path


def loader(settings: Settings) -> Snowflake:
    """The warehouse for whoever writes RAW."""
    return replace(snowflake(settings), role=settings.snowflake.load_role, warehouse=settings.snowflake.load_warehouse)


def reporter(settings: Settings) -> Snowflake:
    """The warehouse for whoever reads what is published."""
    return replace(
        snowflake(settings), role=settings.snowflake.report_role, warehouse=settings.snowflake.report_warehouse
    )


def administrator(settings: Settings, role: str = ADMINISTRATOR) -> Snowflake:
    """The account for whoever sets it up, and owns its tables."""
    return replace(snowflake(settings), role=role)


def spark_session(
    settings: Settings,
    app: str,
    memory: str,
    options: Mapping[str, str] | None = None,
    is_adaptive: bool = False,
    jvm_options: Sequence[str] = (),
    leaves_classes: bool = False,
) -> "SparkSession":
    """Spark with every jar that Concord uses, the lake as catalog ``iceberg``, and where checkpoints may lie."""
    store = checkpoint_store(settings)
    return session(
        app,
        master=settings.spark.master,
        driver_memory=memory,
        jars=spark_jars(settings),
        adaptive=is_adaptive,
        jvm_options=jvm_options,
        options=options,
        leaves_classes=leaves_classes,
        catalog_options={**lake(settings).spark_options(), **(store.spark_options() if store else {})},
    )


@contextmanager
def spark_for(settings: Settings, app: str, memory: str, leaves_classes: bool = False) -> Iterator["SparkSession"]:
    """Spark for one job on the lake: adaptive, quiet, and gone with its Java machine when the job is done."""
    extensions = {"spark.sql.extensions": SPARK_EXTENSIONS}
    running = spark_session(settings, app, memory, extensions, is_adaptive=True, leaves_classes=leaves_classes)
    running.sparkContext.setLogLevel("ERROR")
    try:
        yield running
    finally:
        end_session(running)


def spark_jars(settings: Settings) -> list[Path]:
    """The jars of a Spark session, in the order of its class path. Raises if a set was not installed."""
    names = (*SPARK_JAR_SETS, *([STORE_JAR_SET] if settings.spark.checkpoints else []))
    sets = [sorted((settings.cache / "jars" / name).glob("*.jar")) for name in names]
    if not all(sets):
        raise Misconfigured(f"Spark's jars are missing from {settings.cache / 'jars'}", "run: concord setup")
    return [jar for jars in sets for jar in jars]

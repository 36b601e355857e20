"""Kafka Connect: one distributed worker with Debezium and the Iceberg sink."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from concord.platform import installed
from concord.platform.engine import Engine, Launch
from concord.platform.launchers import kafka, object_store, postgres
from concord.platform.launchers.java import jar_version, java_command, logging_file
from concord.platform.readiness import http_answers
from concord.settings import PROJECT, Settings

NAME = "connect"
PLUGINS = ("debezium", "iceberg-sink")
MAIN_CLASS = "org.apache.kafka.connect.cli.ConnectDistributed"


def engine(settings: Settings) -> Engine:
    """The worker; its connectors are files of ``engines/connect`` that are applied over its REST interface."""
    return Engine(
        name=NAME,
        version=jar_version(settings, "connect-runtime"),
        ports=(settings.connect.port,),
        needs=(kafka.NAME, postgres.NAME, object_store.NAME),
        launch=lambda: _launch(settings),
        is_ready=lambda: http_answers(f"{settings.connect.url}/health"),
    )


def _launch(settings: Settings) -> Launch:
    folder = settings.home / NAME
    properties = folder / "connect.properties"
    return Launch(
        command=java_command(settings, folder, MAIN_CLASS, settings.connect.heap, str(properties)),
        environment=placeholders(settings),
        files={properties: _properties(settings)} | logging_file(folder),
        loads=tuple(jar for name in PLUGINS for jar in installed.jars(settings, name)),
        prepare=lambda: _link_plugins(settings),
    )


def placeholders(settings: Settings) -> Mapping[str, str]:
    """What a connector file may name as ``${env:…}``."""
    return {
        "CONCORD_POSTGRES_HOST": settings.postgres.host,
        "CONCORD_POSTGRES_PORT": str(settings.postgres.port),
        "CONCORD_POSTGRES_DATABASE": settings.postgres.database,
        "CONCORD_POSTGRES_CDC_PASSWORD": settings.secret("postgres_cdc").get_secret_value(),
        "CONCORD_LAKE_URI": settings.lake.uri,
        "CONCORD_LAKE_WAREHOUSE": settings.lake.warehouse,
        "CONCORD_S3_ENDPOINT": settings.object_store.endpoint,
        "CONCORD_S3_REGION": settings.object_store.region,
        "CONCORD_S3_ACCESS_KEY": settings.secret("s3_access_key").get_secret_value(),
        "CONCORD_S3_SECRET_KEY": settings.secret("s3_secret_key").get_secret_value(),
        "CONCORD_KAFKA_BOOTSTRAP": settings.kafka.bootstrap,
    }


def _properties(settings: Settings) -> str:
    address = urlsplit(settings.connect.url)
    return (PROJECT / "engines" / "kafka" / "connect.properties").read_text() + (
        f"bootstrap.servers={settings.kafka.bootstrap}\n"
        f"listeners=http://{address.netloc}\n"
        f"rest.advertised.host.name={address.hostname}\n"
        f"plugin.path={settings.home / NAME / 'plugins'}\n"
    )


def _link_plugins(settings: Settings) -> None:
    """A folder that holds the plugins and nothing else: Connect takes every folder in it for one."""
    folder = settings.home / NAME / "plugins"
    folder.mkdir(exist_ok=True)
    for name in PLUGINS:
        link = folder / name
        link.unlink(missing_ok=True)
        link.symlink_to(installed.jars(settings, name)[0].parent, target_is_directory=True)

"""All engines of this machine, in the order people think of them."""

from concord.platform.engine import Engine
from concord.platform.launchers import clickhouse, connect, kafka, object_store, postgres, snowflake, speed, tend
from concord.settings import Settings

LAUNCHERS = (postgres, object_store, kafka, connect, clickhouse, snowflake, speed, tend)

STORES = tuple(launcher.NAME for launcher in LAUNCHERS if launcher not in (speed, tend))
"""What has to run before anything can be provisioned."""

APPLICATIONS = (speed.NAME, tend.NAME)
"""What needs topics and tables to be there."""


def engines(settings: Settings) -> dict[str, Engine]:
    """Every engine by name. Nothing is started, read or fetched for this."""
    return {launcher.NAME: launcher.engine(settings) for launcher in LAUNCHERS}

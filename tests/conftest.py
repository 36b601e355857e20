"""The running stack, for the tests that need one.

``CONCORD_TEST_PROFILE`` names the profile of a stack that runs already (with ``CONCORD_HOME`` where
its data are elsewhere than usual); without it one is started for the session, by each worker where
there are several, and stopped after it.
"""

import os
import shutil
from collections.abc import Iterator

import hypothesis
import pytest

from concord import bootstrap
from concord.cli.engines import bring_up
from concord.gateways.clickhouse import ClickHouse
from concord.gateways.kafka import Kafka
from concord.gateways.lake import Lake
from concord.gateways.postgres import Postgres
from concord.gateways.snowflake import Snowflake
from concord.platform import lifecycle
from concord.platform.catalogue import APPLICATIONS
from concord.platform.launchers.snowflake import statements_file
from concord.settings import Settings, load_settings
from tests.stack import TESTER, as_toml, delete_all_but_logs, free_ports, profile_with, temporary_home
from tests.warehouse_record import Record

RUNNING = "CONCORD_TEST_PROFILE"

hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


class Quiet:
    """Watches the engines start and says nothing: pytest shows what fails."""

    def begins(self, name: str) -> None: ...

    def done(self, name: str, note: str) -> None: ...


@pytest.fixture(scope="session")
def environment() -> Iterator[pytest.MonkeyPatch]:
    """The environment of the session; child processes see it too."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="session")
def settings(request: pytest.FixtureRequest, environment: pytest.MonkeyPatch) -> Iterator[Settings]:
    """A stack whose stores run and are provisioned; the speed layer only with the fixture ``stack``."""
    if profile := os.environ.get(RUNNING):
        environment.setenv("CONCORD_PROFILE", profile)
        yield load_settings()
        return
    home = temporary_home()
    profile_file = home / "profile.toml"
    profile_file.write_text(as_toml(profile_with(free_ports())))
    environment.setenv("CONCORD_PROFILE", str(profile_file))
    environment.setenv("CONCORD_HOME", str(home))
    own = load_settings()
    is_well = False
    try:
        bring_up(own, applications=False)
        yield own
        is_well = not request.session.testsfailed
    finally:
        lifecycle.stop(own, Quiet())
        shutil.rmtree(home) if is_well else delete_all_but_logs(home)


@pytest.fixture(scope="session")
def stack(settings: Settings) -> Settings:
    """The whole stack, the speed layer too."""
    lifecycle.start(settings, APPLICATIONS, Quiet())
    return settings


@pytest.fixture(scope="session")
def postgres(settings: Settings) -> Postgres:
    return bootstrap.postgres(settings)


@pytest.fixture(scope="session")
def kafka(settings: Settings) -> Kafka:
    return bootstrap.kafka(settings)


@pytest.fixture(scope="session")
def clickhouse(settings: Settings) -> ClickHouse:
    return bootstrap.clickhouse(settings)


@pytest.fixture(scope="session")
def snowflake(settings: Settings) -> Snowflake:
    """As a role of the tests' own, so that what they do there is not taken for what the pipeline does."""
    return bootstrap.administrator(settings, TESTER)


@pytest.fixture(scope="module")
def record(settings: Settings) -> Record:
    """What the pipeline sends to the warehouse from here on; asked for by a module's first fixture."""
    return Record.begun(statements_file(settings))


@pytest.fixture(scope="session")
def lake(settings: Settings) -> Lake:
    return bootstrap.lake(settings)

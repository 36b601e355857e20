"""The gateway against the running Connect worker."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from concord import bootstrap
from concord.contracts import names
from concord.errors import Misconfigured, Unavailable
from concord.gateways.connect import Connect
from concord.provision import connectors
from concord.settings import Settings

pytestmark = pytest.mark.integration


@pytest.fixture
def connect(settings: Settings) -> Connect:
    return bootstrap.connect(settings)


@pytest.fixture
def own(connect: Connect) -> Iterator[str]:
    """The name of a connector that the test may make."""
    name = f"test-{uuid4().hex[:12]}"
    yield name
    connect.delete(name)


def test_every_connector_of_the_project_runs(connect: Connect) -> None:
    assert {*connectors()} <= {*connect.names()}
    assert all(connect.wait_running(name).is_running for name in connectors())


@pytest.mark.parametrize("name", sorted(connectors()))
def test_applying_a_connector_again_changes_nothing(connect: Connect, name: str) -> None:
    assert not connect.apply(name, connectors()[name])


def test_a_task_that_fails_says_why(connect: Connect, own: str) -> None:
    sink = connectors()["lake-events-sink"] | {"iceberg.catalog.type": "nonsense", "iceberg.control.topic": own}
    assert connect.apply(own, sink)
    with pytest.raises(Unavailable, match=f"connector {own} failed: .*nonsense"):
        connect.wait_running(own)


def test_a_configuration_that_connect_refuses_is_misconfigured(connect: Connect, own: str) -> None:
    with pytest.raises(Misconfigured, match="contains no connector type"):
        connect.apply(own, {"tasks.max": "1"})


def test_passwords_stay_placeholders_in_the_worker(connect: Connect) -> None:
    config = connect.config(names.CDC_CONNECTOR)
    assert config is not None
    assert config["database.password"] == "${env:CONCORD_POSTGRES_CDC_PASSWORD}"

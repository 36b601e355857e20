"""The gateway against the running Connect worker."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from concord import bootstrap
from concord.contracts import names
from concord.contracts.events import EVENTS_LANDING
from concord.contracts.tables import in_lake
from concord.errors import Misconfigured, Unavailable
from concord.gateways.connect import Connect
from concord.gateways.kafka import Kafka
from concord.gateways.lake import Lake
from concord.provision import connectors
from concord.settings import Settings
from tests.waiting import eventually

pytestmark = pytest.mark.integration

LAKE_SECONDS = 180


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


def test_a_sink_that_is_made_behind_waiting_records_passes_over_none(
    connect: Connect, own: str, kafka: Kafka, lake: Lake
) -> None:
    """Trap K7: what came to a topic before its sink was there."""
    table = in_lake(EVENTS_LANDING).extended(own.replace("-", "_"), partition=None)
    topic, control = f"{own}.records", f"{own}.control"
    kafka.create_topics({topic: {}}, names.TOPIC_PARTITIONS)
    kafka.create_topics({control: {}}, 1)
    kafka.pin_group(f"connect-{own}-coord", control)
    assert lake.create_table(table)
    producer = kafka.producer()
    for number in range(50):
        producer.produce(topic, str(number).encode(), key=str(number).encode())
    assert producer.flush(30) == 0
    sink = connectors()["lake-events-sink"]
    route = {
        "topics": topic,
        "iceberg.tables": f"{names.LAKE_NAMESPACE}.{table.name}",
        "iceberg.control.topic": control,
    }
    try:
        assert connect.apply(own, sink | route)
        eventually(lambda: lake.row_count(table.name) >= 50, LAKE_SECONDS, every=1)
        landed = lake.scan(table.name, ("value",))["value"].to_pylist()
        assert sorted(landed) == sorted(str(number).encode() for number in range(50))
    finally:
        connect.delete(own)
        lake.drop_table(table.name)

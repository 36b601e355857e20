"""The scenes of the events query, for the tests that drive it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from concord.gateways.kafka import Kafka
from concord.settings import Settings
from tests.integration.test_speed import Scene, new_scene


@pytest.fixture
def scene(settings: Settings, kafka: Kafka, tmp_path: Path) -> Iterator[Scene]:
    with new_scene(settings, kafka, tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def driven(settings: Settings, kafka: Kafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A scene that the driver has read to its end; each test goes on from where the one before has left it."""
    with new_scene(settings, kafka, tmp_path_factory.mktemp("scene")) as made:
        assert made.drive() == 0
        yield made

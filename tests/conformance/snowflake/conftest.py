"""One stand-in for all statements; a fresh session for each test."""

from collections.abc import Iterator

import pytest

from concord.gateways.snowflake import Snowflake
from tests.conformance.snowflake.server import Server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("snowflake") / "data") as running:
        yield running


@pytest.fixture
def warehouse(server: Server) -> Iterator[Snowflake]:
    with server.client() as client:
        yield client

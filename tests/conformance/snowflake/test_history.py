"""The query history under an account's own names: what a bill is made of."""

from datetime import UTC, datetime, timedelta

import pytest

from concord.errors import ConcordError
from concord.gateways.snowflake import Snowflake
from concord.governance.statements import statements
from tests.conformance.snowflake.server import Server

pytestmark = pytest.mark.conformance

HOUR = timedelta(hours=1)


def test_statements_are_found_with_warehouse_role_and_time(server: Server) -> None:
    begun = datetime.now(UTC)
    with server.client(warehouse="HISTORY_WH", role="LOADER") as client:
        client.execute("create or replace table RAW.histories (i number)")
        client.execute("insert into RAW.histories values (1)")
        client.query("select i from RAW.histories")
        with pytest.raises(ConcordError):
            client.query("select nothing from RAW.histories")
    with server.client() as client:
        found = [one for one in statements(client, begun - HOUR, begun + HOUR) if one.warehouse == "HISTORY_WH"]
        assert statements(client, begun - HOUR, begun) == [] or found[0].begun_at >= begun
    assert [one.kind for one in found] == ["INSERT", "SELECT", "SELECT"]
    assert all(begun <= one.begun_at <= one.ended_at and one.role == "LOADER" for one in found)
    assert {(one.size, one.partitions_total, one.spilled_bytes) for one in found} == {(None, None, None)}


def test_the_history_is_no_database_of_a_clients(warehouse: Snowflake, server: Server) -> None:
    import httpx

    assert "SNOWFLAKE" not in httpx.get(server.url).json()["databases"]

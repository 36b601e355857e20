"""Provisioning a stack that is provisioned already."""

import pytest

from concord import bootstrap
from concord.contracts import names
from concord.contracts.names import CDC_ROLE, OWNER_ROLE
from concord.contracts.tables import TABLES
from concord.dialects.iceberg import LANDED_DATASETS
from concord.errors import Misconfigured
from concord.gateways.kafka import Kafka
from concord.gateways.lake import Lake
from concord.gateways.postgres import Postgres
from concord.provision import STEPS, coordinators, keyed_topics, ordered_topics, provision
from concord.settings import Settings

pytestmark = pytest.mark.integration


def test_a_second_time_every_step_is_reported_and_no_task_is_restarted(settings: Settings) -> None:
    connect = bootstrap.connect(settings)
    source_before = connect.config(names.CDC_CONNECTOR)
    reported: list[str] = []
    provision(settings, reported.append)
    assert reported == [*STEPS]
    assert connect.status(names.CDC_CONNECTOR).is_running
    assert connect.config(names.CDC_CONNECTOR) == source_before


def test_every_topic_is_there_with_its_partitions(kafka: Kafka) -> None:
    present = kafka.partitions()
    assert {present[topic] for topic in keyed_topics()} == {names.TOPIC_PARTITIONS}
    assert {present[topic] for topic in ordered_topics()} == {1}


def test_every_landed_table_is_there(lake: Lake) -> None:
    assert {dataset.name for dataset in LANDED_DATASETS} <= {*lake.tables()}


def test_no_coordinator_would_skip_what_a_task_announced(kafka: Kafka) -> None:
    held = {topic: kafka.committed(group, topic) for group, topic in coordinators()}
    assert all(min(offsets.values()) >= 0 for offsets in held.values())


def test_the_connectors_role_may_read_and_replicate_and_nothing_else(settings: Settings, postgres: Postgres) -> None:
    [(is_super, replicates, creates)] = postgres.query(
        "select rolsuper, rolreplication, rolcreaterole or rolcreatedb from pg_roles where rolname = %s", (CDC_ROLE,)
    )
    assert (is_super, replicates, creates) == (False, True, False)
    capture = bootstrap.postgres(settings, CDC_ROLE)
    for table in TABLES:
        capture.query(f"select count(*) from {table}")
        with pytest.raises(Misconfigured, match="permission denied"):
            capture.execute(f"delete from {table} where id = -1")


def test_the_shop_owns_its_tables_and_is_no_superuser(postgres: Postgres) -> None:
    owners = postgres.query("select distinct tableowner from pg_tables where schemaname = 'public'")
    assert owners == [(OWNER_ROLE,)]
    assert postgres.query("select rolsuper from pg_roles where rolname = current_user") == [(False,)]

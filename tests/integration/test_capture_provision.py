"""Provisioning a stack that is provisioned already."""

from collections.abc import Iterable

import pytest
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType

from concord import bootstrap
from concord.contracts import names
from concord.contracts.names import CDC_ROLE, OWNER_ROLE
from concord.contracts.tables import TABLES
from concord.dialects.iceberg import LANDED_DATASETS
from concord.errors import Misconfigured
from concord.gateways.kafka import Kafka
from concord.gateways.lake import Lake
from concord.gateways.postgres import Postgres
from concord.provision import STEPS, coordinators, keyed_topics, ordered_topics, provision, provision_kafka
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


def settings_of(kafka: Kafka, topics: Iterable[str]) -> dict[str, dict[str, str]]:
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    found = admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic) for topic in topics])
    return {
        resource.name: {name: entry.value for name, entry in future.result(10).items()}
        for resource, future in found.items()
    }


def test_every_topic_has_the_settings_that_are_declared(kafka: Kafka) -> None:
    declared = {**keyed_topics(), **ordered_topics()}
    found = settings_of(kafka, declared)

    assert {topic: {name: found[topic][name] for name in own} for topic, own in declared.items()} == declared
    assert found[names.EVENTS_TOPIC]["message.timestamp.type"] == "LogAppendTime"
    assert {topic for _, topic in coordinators()} <= {*declared}


def test_a_topic_of_an_earlier_version_is_brought_to_what_is_declared(settings: Settings, kafka: Kafka) -> None:
    kafka.create_topics({names.DEAD_LETTER_TOPIC: {"max.message.bytes": "1000"}}, names.TOPIC_PARTITIONS)

    provision_kafka(settings)

    found = settings_of(kafka, [names.DEAD_LETTER_TOPIC])[names.DEAD_LETTER_TOPIC]
    assert found["max.message.bytes"] == str(names.MAX_DEAD_LETTER_BYTES)


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

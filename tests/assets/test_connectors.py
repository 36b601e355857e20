"""The connector files against the contracts: they are written by hand, so they can be wrong."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from concord.contracts import names
from concord.contracts.tables import CDC_METADATA, FENCE, TABLES, TOAST_PLACEHOLDER, as_change, as_landed, in_lake
from concord.dialects.iceberg import LANDED_DATASETS
from concord.dialects.postgres import PUBLISHED
from concord.platform import secret_files
from concord.platform.launchers.connect import placeholders
from concord.provision import connectors, coordinators, keyed_topics, ordered_topics
from concord.settings import PROJECT, load_settings

CONNECTORS = connectors()
SOURCE = CONNECTORS[names.CDC_CONNECTOR]
SINKS = {name: config for name, config in CONNECTORS.items() if name != names.CDC_CONNECTOR}
SECRET_KEYS = re.compile(r"password|secret|credential|access-key|token$")
PLACEHOLDER = re.compile(r"\$\{env:(CONCORD_[A-Z0-9_]+)\}")
DEFAULT_MAX_POLL_INTERVAL_MS = 300_000
ALL = pytest.mark.parametrize("name", sorted(CONNECTORS))
SINK = pytest.mark.parametrize("name", sorted(SINKS))


@ALL
def test_a_file_is_named_as_its_connector(name: str) -> None:
    assert CONNECTORS[name]["name"] == name


@ALL
def test_every_value_is_text_as_connect_stores_it(name: str) -> None:
    assert all(isinstance(value, str) for value in CONNECTORS[name].values())


@ALL
def test_secrets_are_placeholders(name: str) -> None:
    secrets = {key: value for key, value in CONNECTORS[name].items() if SECRET_KEYS.search(key)}
    assert secrets
    assert all(PLACEHOLDER.sub("", value).strip(":") == "" for value in secrets.values())


@ALL
def test_the_worker_knows_every_placeholder(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONCORD_HOME", str(tmp_path))
    monkeypatch.delenv("CONCORD_PROFILE", raising=False)
    settings = load_settings()
    secret_files.create_missing(settings)
    named = {found for value in CONNECTORS[name].values() for found in PLACEHOLDER.findall(value)}
    assert named <= set(placeholders(settings))


@ALL
def test_converters_are_set_in_the_connector_because_their_options_are_ignored_otherwise(name: str) -> None:
    config = CONNECTORS[name]
    for part in ("key", "value"):
        assert f"{part}.converter" in config
        if config[f"{part}.converter"].endswith("JsonConverter"):
            assert config[f"{part}.converter.schemas.enable"] == "false"


@ALL
def test_nothing_is_skipped_in_silence(name: str) -> None:
    assert CONNECTORS[name]["errors.tolerance"] == "none"


def test_the_source_captures_what_the_publication_holds() -> None:
    assert SOURCE["table.include.list"].split(",") == [f"public.{table.name}" for table in PUBLISHED]
    assert SOURCE["publication.name"] == names.PUBLICATION
    assert SOURCE["publication.autocreate.mode"] == "disabled"
    assert SOURCE["slot.name"] == names.REPLICATION_SLOT
    assert SOURCE["database.user"] == names.CDC_ROLE


def test_the_source_writes_to_the_topics_that_exist() -> None:
    topics = [f"{SOURCE['topic.prefix']}.public.{table.name}" for table in PUBLISHED]
    assert topics == [*map(names.cdc_topic, TABLES.values()), names.FENCE_TOPIC]
    assert {*topics} <= {*keyed_topics(), *ordered_topics()}


def test_records_are_keyed_by_the_primary_key() -> None:
    """Debezium's default, so nothing may say otherwise."""
    assert "message.key.columns" not in SOURCE
    ddl = (PROJECT / "engines" / "postgres" / "10_tables.sql").read_text()
    assert ddl.count("primary key (id)") == ddl.count("create table")
    assert all(table.key == ("id",) for table in (*TABLES.values(), FENCE))


def test_change_records_carry_the_metadata_of_the_contract() -> None:
    added = SOURCE["transforms.unwrap.add.fields"].split(",")
    assert [f"__{field.replace('.', '_')}" for field in added] == [column.name for column in CDC_METADATA]


def test_a_delete_becomes_a_row_and_leaves_no_tombstone() -> None:
    assert SOURCE["transforms.unwrap.delete.tombstone.handling.mode"] == "rewrite"
    assert SOURCE["tombstones.on.delete"] == "false"


def test_the_toast_placeholder_is_the_contracts() -> None:
    assert SOURCE["unavailable.value.placeholder"] == TOAST_PLACEHOLDER


def test_the_source_writes_each_change_once() -> None:
    assert SOURCE["exactly.once.support"] == "required"
    assert SOURCE["transaction.boundary"] == "poll"


def test_every_landed_topic_has_one_sink_into_its_own_table() -> None:
    routes = {config["topics"]: config["iceberg.tables"] for config in SINKS.values()}
    changes = {names.cdc_topic(table): f"{names.LAKE_NAMESPACE}.{as_change(table).name}" for table in TABLES.values()}
    assert routes == {**changes, names.EVENTS_TOPIC: f"{names.LAKE_NAMESPACE}.{names.EVENTS_LANDING}"}
    assert len(SINKS) == len(routes)
    assert {*routes.values()} == {f"{names.LAKE_NAMESPACE}.{dataset.name}" for dataset in LANDED_DATASETS}


def test_no_two_sinks_share_a_control_topic() -> None:
    topics = [config["iceberg.control.topic"] for config in SINKS.values()]
    assert len({*topics}) == len(SINKS)
    assert {*topics} == {topic for _, topic in coordinators()} <= {*ordered_topics()}


@SINK
def test_a_sink_has_one_task_because_two_coordinators_register_files_twice(name: str) -> None:
    assert SINKS[name]["tasks.max"] == "1"


@SINK
def test_a_sink_neither_creates_nor_changes_a_table(name: str) -> None:
    assert SINKS[name]["iceberg.tables.auto-create-enabled"] == "false"
    assert SINKS[name]["iceberg.tables.evolve-schema-enabled"] == "false"


@SINK
def test_a_sink_writes_the_position_into_columns_of_its_table(name: str) -> None:
    config = SINKS[name]
    fields = {key: value for key, value in config.items() if re.fullmatch(r"transforms\.position\.\w+\.field", key)}
    (table,) = (d for d in LANDED_DATASETS if config["iceberg.tables"] == f"{names.LAKE_NAMESPACE}.{d.name}")
    assert [*fields.values()] == ["_topic", "_kafka_partition", "_offset", "_timestamp"]
    assert {*fields.values()} <= {*table.names}


@SINK
def test_records_land_as_the_bytes_that_came_so_that_no_change_of_a_schema_stops_a_sink(name: str) -> None:
    sink = SINKS[name]
    assert sink["value.converter"].endswith("ByteArrayConverter")
    assert sink["header.converter"].endswith("ByteArrayConverter")
    assert sink["transforms"] == "hoist,position"
    assert sink["transforms.hoist.field"] == "value"


def test_a_change_log_of_the_lake_has_a_column_for_the_record_and_those_of_its_position() -> None:
    (users,) = (dataset for dataset in LANDED_DATASETS if dataset.name == "users_changes")
    assert users == in_lake(as_landed(TABLES["users"]))


@SINK
def test_a_sink_outwaits_a_minute_without_the_object_store_and_keeps_its_place_in_the_group(name: str) -> None:
    retry = {key.rpartition(".")[2]: int(value) for key, value in SINKS[name].items() if ".s3.retry." in key}
    longest = retry["num-retries"] * retry["max-wait-ms"]
    assert 60_000 < longest < DEFAULT_MAX_POLL_INTERVAL_MS


def test_a_sink_without_an_offset_begins_at_the_first_record_that_is_there() -> None:
    """Trap K5: with ``latest`` whatever came while it was away, or before it was made, would be passed over."""
    worker = (PROJECT / "engines" / "kafka" / "connect.properties").read_text().splitlines()
    assert "consumer.auto.offset.reset=earliest" in worker
    assert "consumer.isolation.level=read_committed" in worker
    assert "connector.client.config.override.policy=None" in worker
    assert not [key for config in SINKS.values() for key in config if "auto.offset.reset" in key]


@SINK
def test_what_a_sink_announced_outlives_any_outage(name: str) -> None:
    kept_ms = int(ordered_topics()[SINKS[name]["iceberg.control.topic"]]["retention.ms"])
    assert timedelta(milliseconds=kept_ms) >= timedelta(days=30)

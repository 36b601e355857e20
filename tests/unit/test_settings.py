"""A setting that cannot work is refused at the start, by its name."""

from pathlib import Path

import pytest

from concord.errors import Misconfigured
from concord.settings import PROJECT, java_bytes, load_settings


def variable(setting: str) -> str:
    return f"CONCORD_{setting.upper().replace('.', '__')}"


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("kafka.bootstrap", "localhost"),
        ("kafka.bootstrap", "localhost:"),
        ("kafka.bootstrap", ":9092"),
        ("kafka.bootstrap", "localhost:kafka"),
        ("kafka.bootstrap", "localhost:70000"),
        ("kafka.bootstrap", "one:9092,two"),
        ("kafka.controller_port", "-1"),
        ("kafka.heap", "512"),
        ("kafka.heap", "512mb"),
        ("kafka.heap", "half"),
        ("connect.heap", "0g"),
        ("connect.url", "127.0.0.1:8083"),
        ("connect.url", "http://127.0.0.1:99999"),
        ("object_store.endpoint", "s3.amazonaws.com"),
        ("object_store.admin_port_base", "65536"),
        ("lake.uri", "http://"),
        ("postgres.port", "0"),
        ("clickhouse.http_port", "65536"),
        ("clickhouse.tcp_port", "0"),
        ("clickhouse.max_memory_bytes", "0"),
        ("snowflake.port", "0"),
        ("snowflake.protocol", "ftp"),
        ("spark.speed_memory", "1500"),
        ("spark.speed_memory", "100m"),
        ("spark.batch_memory", "3 g"),
        ("spark.trigger_seconds", "0"),
        ("spark.trigger_seconds", "2.5"),
        ("spark.max_offsets_per_trigger", "0"),
        ("spark.max_offsets_per_trigger", "-300000"),
        ("telemetry.metrics_port", "65536"),
        ("telemetry.otlp_endpoint", "collector:4318"),
    ],
)
def test_a_setting_that_cannot_work_is_named(monkeypatch: pytest.MonkeyPatch, setting: str, value: str) -> None:
    monkeypatch.setenv(variable(setting), value)

    with pytest.raises(Misconfigured, match=f"setting {setting}: ") as refused:
        load_settings()

    assert f"(value: {value!r})" in refused.value.message
    assert variable(setting) in refused.value.hint


def test_a_setting_of_the_profile_is_named_with_its_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    profile = tmp_path / "wrong.toml"
    profile.write_text((PROJECT / "profiles" / "local.toml").read_text().replace('"3g"', '"many"'))
    monkeypatch.setenv("CONCORD_PROFILE", str(profile))

    with pytest.raises(Misconfigured, match=r"setting spark\.batch_memory: is no size such as 512m or 3g") as refused:
        load_settings()

    assert str(profile) in refused.value.hint


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("kafka.bootstrap", "one:9092,two:9093"),
        ("kafka.bootstrap", "[::1]:9092"),
        ("kafka.heap", "1G"),
        ("connect.url", "https://connect.example.com"),
        ("object_store.endpoint", "https://s3.eu-central-1.amazonaws.com"),
        ("spark.speed_memory", "512m"),
        ("telemetry.metrics_port", "0"),
        ("telemetry.otlp_endpoint", ""),
    ],
)
def test_what_can_work_is_taken(monkeypatch: pytest.MonkeyPatch, setting: str, value: str) -> None:
    monkeypatch.setenv(variable(setting), value)

    section, name = setting.split(".")
    assert str(getattr(getattr(load_settings(), section), name)) == value


def test_the_port_of_several_brokers_is_the_last_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable("kafka.bootstrap"), "one:9092,two:9093")

    assert load_settings().kafka.port == 9093


def test_sizes_are_read_as_java_reads_them() -> None:
    assert [java_bytes(size) for size in ("1k", "512m", "3g", "3G")] == [1 << 10, 512 << 20, 3 << 30, 3 << 30]

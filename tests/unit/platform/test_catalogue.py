"""What is declared of the engines, before any of them runs."""

from collections import Counter
from pathlib import Path

import pytest

from concord.platform import secret_files
from concord.platform.catalogue import APPLICATIONS, STORES, engines
from concord.platform.launchers import clickhouse, connect, object_store
from concord.settings import Settings, load_settings


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("CONCORD_HOME", str(tmp_path))
    monkeypatch.delenv("CONCORD_PROFILE", raising=False)
    loaded = load_settings()
    secret_files.create_missing(loaded)
    return loaded


def test_every_engine_is_a_store_or_an_application(settings: Settings) -> None:
    assert set(engines(settings)) == {*STORES, *APPLICATIONS}


def test_no_two_engines_share_a_port(settings: Settings) -> None:
    ports = Counter(port for engine in engines(settings).values() for port in engine.ports)
    assert [port for port, count in ports.items() if count > 1] == []


def test_ports_stay_below_those_the_kernel_hands_to_clients(settings: Settings) -> None:
    assert max(port for engine in engines(settings).values() for port in engine.ports) < 32_768


def test_engines_need_only_engines_there_are(settings: Settings) -> None:
    known = engines(settings)
    assert {need for engine in known.values() for need in engine.needs} <= set(known)


def test_only_the_warehouse_is_a_stand_in(settings: Settings) -> None:
    assert [name for name, engine in engines(settings).items() if engine.is_stand_in] == ["snowflake"]


def test_secrets_are_readable_by_their_owner_alone(settings: Settings) -> None:
    modes = {path.stat().st_mode & 0o777 for path in settings.secrets.iterdir()}
    assert modes == {0o600}
    assert settings.secrets.stat().st_mode & 0o777 == 0o700


def test_secrets_that_are_there_are_kept(settings: Settings) -> None:
    before = {path.name: path.read_text() for path in settings.secrets.iterdir()}
    secret_files.create_missing(settings)
    assert {path.name: path.read_text() for path in settings.secrets.iterdir()} == before
    assert len(set(before.values())) == len(secret_files.NAMES)


def test_connectors_find_every_placeholder_in_the_workers_environment(settings: Settings) -> None:
    assert all(name.startswith("CONCORD_") and value for name, value in connect.placeholders(settings).items())


def test_passwords_reach_clickhouse_only_as_hashes(settings: Settings) -> None:
    users = clickhouse.users_file(settings)
    for user in ("admin", "writer", "reader"):
        assert settings.secret(f"clickhouse_{user}").get_secret_value() not in users


def test_the_object_store_knows_one_identity_with_the_two_keys(settings: Settings) -> None:
    identities = object_store.identities_file(settings)
    assert settings.secret("s3_access_key").get_secret_value() in identities
    assert settings.secret("s3_secret_key").get_secret_value() in identities

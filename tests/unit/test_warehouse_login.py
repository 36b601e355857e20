"""How the warehouse's user logs in: by password, or by key pair where the settings name a key."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from concord import bootstrap
from concord.cli.batch import dbt
from concord.errors import Misconfigured
from concord.settings import Settings, load_settings

PEM, PKCS8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """With a key in the folder of secrets, and no password."""
    monkeypatch.setenv("CONCORD_HOME", str(tmp_path))
    monkeypatch.setenv("CONCORD_SNOWFLAKE__PRIVATE_KEY_FILE", "warehouse.p8")
    its = load_settings()
    its.secrets.mkdir()
    write_key(its.secrets / "warehouse.p8", serialization.NoEncryption())
    return its


def write_key(path: Path, encryption: serialization.KeySerializationEncryption) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path.write_bytes(key.private_bytes(PEM, PKCS8, encryption))


def test_a_key_serves_the_driver_the_spark_connector_and_dbt(settings: Settings) -> None:
    key = settings.secrets / "warehouse.p8"
    for warehouse in (bootstrap.snowflake(settings), bootstrap.loader(settings), bootstrap.administrator(settings)):
        assert (warehouse.private_key_file, warehouse.password) == (key, None)
    options = bootstrap.loader(settings).spark_options()
    body = "".join(key.read_text().splitlines()[1:-1])
    assert (options["pem_private_key"], "sfPassword" in options) == (body, False)
    environment = dbt(settings).environment
    assert environment["CONCORD_DBT_PRIVATE_KEY_PATH"] == str(key)
    assert environment["DBT_ENV_SECRET_CONCORD_PASSWORD"] == ""


def test_without_a_key_it_is_the_password(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONCORD_SNOWFLAKE__PRIVATE_KEY_FILE")
    its = load_settings()
    (its.secrets / "snowflake_password").write_text("secret\n")
    assert bootstrap.loader(its).spark_options()["sfPassword"] == "secret"
    environment = dbt(its).environment
    assert environment["CONCORD_DBT_PRIVATE_KEY_PATH"] == ""
    assert environment["DBT_ENV_SECRET_CONCORD_PASSWORD"] == "secret"


def test_a_key_that_nobody_could_use_is_named(settings: Settings) -> None:
    key = settings.secrets / "warehouse.p8"
    write_key(key, serialization.BestAvailableEncryption(b"a passphrase"))
    with pytest.raises(Misconfigured, match=r"private_key_file: .*warehouse\.p8 begins with .*ENCRYPTED") as refused:
        bootstrap.snowflake(settings)
    assert "pkcs8 -topk8 -nocrypt" in refused.value.hint
    key.unlink()
    with pytest.raises(Misconfigured, match=r"snowflake\.private_key_file: cannot read .*warehouse\.p8"):
        bootstrap.snowflake(settings)

"""Login by key pair: a server without a password takes whoever comes, so what is tried is that they come with a key."""

import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.conformance.snowflake.server import Server
from tests.warehouse_copy import dbt_beside

pytestmark = pytest.mark.conformance


@pytest.fixture
def key(tmp_path: Path) -> Path:
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    plain = serialization.NoEncryption()
    file = tmp_path / "warehouse.p8"
    file.write_bytes(made.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return file


def test_the_driver_logs_in_with_a_key(server: Server, key: Path) -> None:
    with server.client(password=None, private_key_file=key) as client:
        assert client.query("select current_user()") == [("CONCORD",)]


def test_dbt_logs_in_with_a_key(server: Server, key: Path, tmp_path: Path) -> None:
    assert debugged(server, key, tmp_path) == 0
    assert debugged(server, key.with_name("absent.p8"), tmp_path) != 0, "it does not ask for the key"


def debugged(server: Server, key: Path, folder: Path) -> int:
    """dbt's own check of its connection; its exit code."""
    its = dbt_beside(server, folder)
    by_key = {"CONCORD_DBT_PRIVATE_KEY_PATH": str(key), "DBT_ENV_SECRET_CONCORD_PASSWORD": ""}
    folders = (f"--project-dir={its.project}", f"--profiles-dir={its.project}", f"--log-path={folder}")
    asked = [sys.executable, "-m", "dbt.cli.main", "debug", "--connection", *folders]
    return subprocess.run(asked, env={**its.environment, **by_key}, stdout=subprocess.DEVNULL, check=False).returncode

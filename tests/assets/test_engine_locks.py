"""The lock files of what is fetched besides Python packages."""

import json
import re
import tomllib

import pytest
from jgo.env import compute_spec_hash

from concord.platform.install.locks import (
    CLICKHOUSE_LIBRARY,
    JAR_SETS,
    JARS,
    OPTIONAL_JAR_SETS,
    jar_lock,
    locked_jars,
    locked_library,
)

ADDRESS = re.compile(r"\bhttps?:|\bftp:|\bresolved\b", re.IGNORECASE)
LOCK_FILES = [
    *sorted(JARS.rglob("*.toml")),
    *sorted(CLICKHOUSE_LIBRARY.glob("*.json")),
    *sorted((JARS.parents[1] / "tools").glob("*.txt")),
]


@pytest.mark.parametrize("set_name", [*JAR_SETS, *OPTIONAL_JAR_SETS])
def test_every_jar_has_a_hash_and_a_version_of_its_own(set_name):
    jars = locked_jars(set_name)
    assert jars
    assert all(re.fullmatch("[0-9a-f]{64}", jar.sha256) for jar in jars)
    assert len({(jar.group, jar.artifact, jar.classifier) for jar in jars}) == len(jars)
    assert not [jar.file_name for jar in jars if jar.version.endswith("SNAPSHOT")]


@pytest.mark.parametrize("set_name", [*JAR_SETS, *OPTIONAL_JAR_SETS])
def test_the_lock_was_made_from_the_list_beside_it(set_name):
    lock = tomllib.loads(jar_lock(set_name).read_text())
    assert lock["metadata"]["spec_hash"] == compute_spec_hash(JARS / set_name / "jgo.toml"), "run: make lock"


def test_every_folder_of_jars_is_a_set_that_is_installed():
    assert {path.name for path in JARS.iterdir() if path.is_dir()} == {*JAR_SETS, *OPTIONAL_JAR_SETS}


@pytest.mark.parametrize("path", LOCK_FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_lock_names_an_address(path):
    assert not ADDRESS.search(path.read_text())


def test_a_connect_plugin_brings_no_connect_api():
    plugins = [jar.artifact for name in ("debezium", "iceberg-sink") for jar in locked_jars(name)]
    assert not {"connect-api", "connect-runtime", "kafka-clients", "slf4j-api"} & set(plugins)


def test_iceberg_has_the_avro_it_was_built_with():
    (avro,) = [jar for jar in locked_jars("iceberg-sink") if jar.artifact == "avro"]
    assert avro.version.startswith("1.12.")


def test_the_clickhouse_package_is_pinned_by_integrity_and_its_file_by_hash():
    package = json.loads((CLICKHOUSE_LIBRARY / "package.json").read_text())
    locked = json.loads((CLICKHOUSE_LIBRARY / "package-lock.json").read_text())["packages"]
    ((name, version),) = package["dependencies"].items()
    assert locked[""]["dependencies"] == package["dependencies"]
    assert locked[f"node_modules/{name}"]["version"] == version
    assert locked[f"node_modules/{name}"]["integrity"].startswith("sha512-")
    assert re.fullmatch("[0-9a-f]{64}", locked_library().sha256)

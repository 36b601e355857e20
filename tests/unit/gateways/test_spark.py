"""What a Spark session would be started with."""

from pathlib import Path

import pytest

from concord.errors import Misconfigured
from concord.gateways import spark

JARS = [Path("/jars/a.jar"), Path("/jars/b.jar")]


def test_a_local_session_uses_jars_where_they_lie_in_their_order() -> None:
    assert spark._jars("local[2]", JARS) == {"spark.driver.extraClassPath": "/jars/a.jar:/jars/b.jar"}


def test_a_cluster_gets_the_jars_sent() -> None:
    assert spark._jars("k8s://cluster", JARS) == {"spark.jars": "/jars/a.jar,/jars/b.jar"}


def test_a_local_session_listens_on_loopback_only() -> None:
    assert set(spark._local_addresses("local[2]").values()) == {"127.0.0.1"}
    assert spark._local_addresses("k8s://cluster") == {}


def test_a_missing_jar_is_named() -> None:
    with pytest.raises(Misconfigured, match=r"/jars/a\.jar"):
        spark.spark_session("test", "local[1]", "512m", jars=JARS)


def test_a_missing_java_is_named() -> None:
    with pytest.raises(Misconfigured, match="/nowhere/bin/java"):
        spark.spark_session("test", "local[1]", "512m", java_home=Path("/nowhere"))


def test_a_batch_session_adapts_and_asks_a_cluster_for_executors_that_fit_their_limit() -> None:
    assert spark._batch("local[2]") == spark.ADAPTIVE
    asked = spark._batch("k8s://cluster")
    assert asked["spark.sql.adaptive.skewJoin.enabled"] == "true"
    parts = ("spark.executor.memory", "spark.executor.memoryOverhead")
    assert sum(int(asked[part].removesuffix("g")) for part in parts) == 4

"""What a Spark session would be started with."""

from pathlib import Path

import pytest

from concord.errors import Misconfigured
from concord.gateways import spark
from concord.gateways.spark import classes

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


@pytest.fixture
def archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "classes"
    monkeypatch.setattr(classes, "FOLDER", folder)
    return folder


def jar(folder: Path, content: str = "classes") -> list[Path]:
    path = folder / "own.jar"
    path.write_text(content)
    return [path]


def kept(options: list[str]) -> Path:
    """The file that Java is told to leave its classes in."""
    return Path(next(one for one in options if "AtExit" in one).split("=")[1])


def test_a_session_maps_what_one_with_the_same_jars_has_left(archives: Path, tmp_path: Path) -> None:
    jars = jar(tmp_path)
    assert classes.options(spark.JAVA_HOME, jars, leaves_classes=False) == []
    left = kept(classes.options(spark.JAVA_HOME, jars, leaves_classes=True))
    assert classes.options(spark.JAVA_HOME, jars, leaves_classes=False) == []  # Java has not ended yet
    left.write_text("classes")
    classes.publish()
    (archive,) = archives.glob("spark-*.jsa")
    for leaves_classes in (True, False):
        assert classes.options(spark.JAVA_HOME, jars, leaves_classes) == [
            f"-XX:SharedArchiveFile={archive}",
            *classes.QUIET,
        ]


def test_other_jars_have_another_archive(archives: Path, tmp_path: Path) -> None:
    before = kept(classes.options(spark.JAVA_HOME, jar(tmp_path), leaves_classes=True))
    assert kept(classes.options(spark.JAVA_HOME, jar(tmp_path, "other classes"), leaves_classes=True)) != before


def test_what_another_process_is_leaving_is_not_given_a_name(archives: Path) -> None:
    archives.mkdir()
    (archives / "spark-1.jsa.1").write_text("half of it")
    classes.publish()
    assert [path.name for path in archives.iterdir()] == ["spark-1.jsa.1"]


def test_a_session_does_without_where_nothing_can_be_kept(archives: Path, tmp_path: Path) -> None:
    archives.write_text("no folder")
    assert classes.options(spark.JAVA_HOME, jar(tmp_path), leaves_classes=True) == []


def test_a_cluster_has_its_classes_elsewhere(archives: Path, tmp_path: Path) -> None:
    assert spark._class_options("k8s://cluster", spark.JAVA_HOME, jar(tmp_path), leaves_classes=True) == []

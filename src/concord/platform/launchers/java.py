"""Java programs: the runtime, a class path of one jar set, a heap, a log on standard output."""

from pathlib import Path

from concord.platform import installed
from concord.platform.install import jar_sets
from concord.settings import PROJECT, Settings, java_bytes

JAR_SET = "kafka"
_LOGGING = PROJECT / "engines" / "kafka" / "log4j2.properties"


def logging_file(folder: Path) -> dict[Path, str]:
    """The logging configuration of a program that lives in ``folder``."""
    return {folder / _LOGGING.name: _LOGGING.read_text()}


def java_command(settings: Settings, folder: Path, main_class: str, heap: str, *arguments: str) -> tuple[str, ...]:
    """The command that runs ``main_class`` of Kafka's jars, its logging configured in ``folder``."""
    class_path = ":".join(str(jar) for jar in installed.jars(settings, JAR_SET))
    return (
        str(installed.java()),
        *(f"-Xms{_start_heap(heap)}", f"-Xmx{heap}", "-XX:+ExitOnOutOfMemoryError"),
        *("-XX:+UseG1GC", "-XX:MaxGCPauseMillis=50"),
        *("-Djava.awt.headless=true", "-Duser.timezone=UTC", f"-Dlog4j2.configurationFile={folder / _LOGGING.name}"),
        *("-cp", class_path, main_class, *arguments),
    )


def _start_heap(heap: str) -> str:
    """Small at first: an idle engine gives the memory to its neighbours."""
    return min("256m", heap, key=java_bytes)


def jar_version(settings: Settings, artifact: str) -> str:
    """The version in the name of ``artifact``'s jar, or a dash where it is not installed."""
    found = sorted(jar_sets.folder(settings, JAR_SET).glob(f"{artifact}-[0-9]*.jar"))
    return found[-1].stem.removeprefix(f"{artifact}-") if found else "–"

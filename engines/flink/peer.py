"""Runs statements in PyFlink's own environment and prints the last one's answer as one line of JSON.

Arguments: the connector's jar, a file of statements, a JSON object of what is put into them.
"""

import json
import re
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from string import Template

from pyflink.table import EnvironmentSettings, TableEnvironment

# A job that fails says so at once: Flink's own default is to start it again, for ever and in silence. Checkpoints go to
# files: in the job manager's memory, the default, those of a few hundred thousand sessions have no room.
OPTIONS = {
    "parallelism.default": "2",
    "restart-strategy.type": "none",
    "state.backend.type": "rocksdb",
    "execution.checkpointing.interval": "2 s",
    "execution.checkpointing.incremental": "true",
    "execution.checkpointing.storage": "filesystem",
    "table.exec.state.ttl": "2 d",
    "table.exec.mini-batch.enabled": "true",
    "table.exec.mini-batch.allow-latency": "1 s",
    "table.exec.mini-batch.size": "20000",
    "table.local-time-zone": "UTC",
    "taskmanager.memory.managed.size": "1 gb",
}


def main(jar: str, file: str, words: str) -> None:
    """Time runs from the last statement on, until its answer is complete."""
    with tempfile.TemporaryDirectory(prefix="flink-checkpoints-") as checkpoints:
        run(jar, file, words, {**OPTIONS, "execution.checkpointing.dir": Path(checkpoints).as_uri()})


def run(jar: str, file: str, words: str, options: Mapping[str, str]) -> None:
    environment = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
    environment.get_config().set("pipeline.jars", Path(jar).as_uri())
    for name, value in options.items():
        environment.get_config().set(name, value)
    *before, question = statements(Template(Path(file).read_text()).substitute(json.loads(words)))
    for statement in before:
        environment.execute_sql(statement)
    started = time.monotonic()
    last = None
    with environment.execute_sql(question).collect() as rows:
        for row in rows:
            last = row
    answer = [0, 0] if last is None else [int(value or 0) for value in last]
    print(json.dumps({"seconds": time.monotonic() - started, "sessions": answer[0], "events": answer[1]}))  # noqa: T201


def statements(script: str) -> list[str]:
    lines = (line for line in script.splitlines() if not line.lstrip().startswith("--"))
    return [part.strip() for part in re.split(r";\s*(?:\n|$)", "\n".join(lines)) if part.strip()]


if __name__ == "__main__":
    main(*sys.argv[1:])

"""The changes of a run as Parquet files: what Kafka and the lake are fed with, and what DuckDB alone reads."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from concord.bench.batch.logs import Logs

Paths = dict[str, tuple[Path, ...]]


class OnDisk(Mapping[str, pa.Table]):
    """Change logs that are read when they are asked for, one table at a time: all of them need not fit in memory."""

    def __init__(self, folder: Path, logs: Logs) -> None:
        folder.mkdir(parents=True)
        self._paths = {name: folder / f"{name}.parquet" for name in logs}
        for name, path in self._paths.items():
            pq.write_table(logs[name], path)

    def __getitem__(self, name: str) -> pa.Table:
        return pq.read_table(self._paths[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


@dataclass
class ChangeFiles:
    """Placed changes, one file per table and part of a run, in the order in which they were written."""

    folder: Path
    paths: Paths = field(default_factory=dict)

    def add(self, part: str, name: str, rows: pa.Table) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{name}-{part}.parquet"
        pq.write_table(rows, path)
        self.paths[name] = (*self.paths.get(name, ()), path)
        return path

    def rows(self, name: str) -> pa.Table:
        return pa.concat_tables(pq.read_table(path) for path in self.paths[name])


def reading(paths: Sequence[Path]) -> str:
    """The files as a relation of DuckDB."""
    return f"read_parquet([{', '.join(repr(str(path)) for path in paths)}])"

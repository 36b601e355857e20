"""What the pipeline sent to the warehouse, as the stand-in noted it: by whom, where, in which words."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

from concord.standins.snowflake.statements import rewrite
from tests.stack import TESTER

CLIENTS = {"DBT": "dbt", "PYTHONCONNECTOR": "pipeline"}
CONNECTOR = "connector"
"""The Spark connector names itself after the Java program that it runs in."""
COMMENT = re.compile(r"/\*.*?\*/|--[^\n]*", re.DOTALL)
NODE = re.compile(r'"node_id": "([^"]+)"')
IDENTIFIER = re.compile(r"identifier\(\?\)")


@dataclass(frozen=True)
class Sent:
    """One statement. ``schema`` is where names without one were looked up when it was sent."""

    client: str
    role: str
    schema: str
    sql: str
    succeeded: bool

    @cached_property
    def words(self) -> str:
        """The statement in one line, without comments."""
        return " ".join(COMMENT.sub(" ", self.sql).split()).rstrip("; ")

    @property
    def node(self) -> str | None:
        """Of dbt: the model, seed or test that it is for."""
        found = NODE.search(self.sql)
        return found[1] if found else None

    @property
    def tried(self) -> str:
        """What became of it on the stand-in."""
        if rewrite(self.sql).is_no_operation:
            return "taken, does nothing"
        return "runs" if self.succeeded else "refused"


@dataclass(frozen=True)
class Record:
    """A server's record; ``before`` lines of it were there when it was begun to be read."""

    file: Path
    before: int

    @classmethod
    def begun(cls, file: Path) -> "Record":
        """Skips the test where the server keeps none: it was started by somebody else."""
        if not file.exists():
            pytest.skip("the warehouse's server records no statements")
        return cls(file, len(file.read_text(encoding="utf-8").splitlines()))

    def all(self) -> list[Sent]:
        """Everything but what tests did there themselves, in order."""
        return [sent for sent in read(self.file) if sent.role != TESTER]

    def since(self) -> list[Sent]:
        """The same, from where it was begun."""
        return [sent for sent in read(self.file, self.before) if sent.role != TESTER]


def read(file: Path, skipped: int = 0) -> Iterator[Sent]:
    """Raises if a line is no record of a statement."""
    for line in file.read_text(encoding="utf-8").splitlines()[skipped:]:
        noted = json.loads(line)
        names = iter(noted["names"])
        sql = IDENTIFIER.sub(lambda _, names=names: next(names), noted["sql"])
        client = CLIENTS.get(noted["client"], CONNECTOR)
        yield Sent(client, noted["ROLE_NAME"], noted["SCHEMA_NAME"] or "", sql, noted["succeeded"])

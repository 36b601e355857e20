"""What a result says of the call that made it."""

import sys

import pytest

from concord.cli.bench import command_line


def test_a_command_is_kept_without_the_folders_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    given = ["/somewhere/bin/concord", "bench", "batch", "--data", "/home/me/retail.parquet", "--name", "retail"]
    monkeypatch.setattr(sys, "argv", given)
    assert command_line() == "concord bench batch --data retail.parquet --name retail"

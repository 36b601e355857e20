"""dbt, in a process that ends with the one that started it.

A batch that is killed must not leave a dbt behind that goes on building the tables in which the next
batch builds already. Standard input is a pipe from the parent: it ends when the parent does, however
that happens.
"""

import os
import sys
from threading import Thread

from dbt.cli.main import cli

import concord.gateways.snowflake  # noqa: F401  # makes the driver fit for dbt's threads


def _end_with_parent() -> None:
    """Reads the descriptor itself: a thread inside sys.stdin would hold its lock when the interpreter ends."""
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os._exit(1)


if __name__ == "__main__":
    Thread(target=_end_with_parent, daemon=True).start()
    cli()

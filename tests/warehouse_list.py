"""The list of what the warehouse is sent: engines/snowflake/statements.tsv, one kind of statement per line.

What an account has been asked (column `account`) is filled in by hand and kept.
"""

import csv
import os
from collections.abc import Iterable, Mapping

from concord.settings import PROJECT
from tests.warehouse_kinds import kinds
from tests.warehouse_record import Sent

FILE = PROJECT / "engines" / "snowflake" / "statements.tsv"
WRITE = "CONCORD_TEST_WRITE_STATEMENTS"
COLUMNS = ("role", "client", "statement", "stand-in", "account")
NOT_TRIED = "no"
ADD_THEM = (
    "not in engines/snowflake/statements.tsv: add these lines, in any order, or let `make statements` record all anew"
)

Key = tuple[str, str, str]
"""Role, client, kind."""


def found(statements: Iterable[Sent]) -> dict[Key, str]:
    """What became of each kind on the stand-in; one that ran once runs."""
    tried: dict[Key, str] = {}
    for sent in statements:
        for kind in kinds(sent):
            key = (sent.role, sent.client, kind)
            if tried.get(key) != "runs":
                tried[key] = sent.tried
    return tried


def listed() -> dict[Key, tuple[str, str]]:
    """What the list says of each kind: of the stand-in and of an account."""
    with FILE.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return {(row["role"], row["client"], row["statement"]): (row["stand-in"], row["account"]) for row in rows}


def unlisted(statements: Iterable[Sent]) -> list[str]:
    """Lines of what was sent and is not in the list. Where it is to be written they are added to it."""
    tried, known = found(statements), listed()
    new = {key: (how, NOT_TRIED) for key, how in tried.items() if key not in known}
    if os.environ.get(WRITE):
        _write(known | new)
        return []
    return [_line(key, told) for key, told in sorted(new.items())]


def assert_listed(statements: Iterable[Sent]) -> None:
    new = unlisted(statements)
    assert not new, "\n".join((f"{ADD_THEM}:", *new))


def _write(rows: Mapping[Key, tuple[str, str]]) -> None:
    lines = ["\t".join(COLUMNS), *(_line(key, told) for key, told in sorted(rows.items()))]
    FILE.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _line(key: Key, told: tuple[str, str]) -> str:
    return "\t".join((*key, *told))

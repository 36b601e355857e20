"""Categories of articles, by the table declared in categories.toml."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_name("categories.toml")


def category_of(sku: str, name: str) -> str:
    """The category by the declared table: by code, else by the first keyword that is a word of the name."""
    table = _table()
    if sku in table.codes:
        return table.codes[sku]
    words = set(re.split(r"[^A-Z0-9'-]+", name.upper()))
    return next((category for category, keywords in table.keywords.items() if words & keywords), table.default)


@dataclass(frozen=True)
class Table:
    default: str
    codes: Mapping[str, str]
    keywords: Mapping[str, frozenset[str]]


@cache
def _table() -> Table:
    """The declared table: part of the program, read once."""
    declared = tomllib.loads(TABLE.read_text())
    codes = {code: category for category, codes in declared["codes"].items() for code in codes}
    return Table(declared["default"], codes, {name: frozenset(words) for name, words in declared["keywords"].items()})

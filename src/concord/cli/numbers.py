"""Numbers from the command line: wrong ones are refused in one line that names them."""

from math import nan
from typing import Any

import typer

from concord.errors import ConcordError, ExitCode

LARGEST = 1e12
"""Beyond what anything here can have: larger ones are slips."""
SHOWN = 20
"""Characters of what was given: the message keeps to one line."""


class WrongNumber(ConcordError):
    """A number of the command line that cannot be used."""

    exit_code = ExitCode.USAGE


def positive_number(name: str, given: Any) -> float:
    """``given`` as a number above 0. Raises :class:`WrongNumber`, naming the option, for anything else."""
    try:
        number = float(given)
    except ValueError:
        number = nan
    if not 0 < number <= LARGEST:
        raise WrongNumber(f"{name} takes a number above 0, up to {LARGEST:g}; not {str(given)[:SHOWN]!r}")
    return number


def positive(name: str, text: str) -> Any:
    """The option ``name`` that takes such a number; ``text`` is its help."""

    def parse(given: Any) -> float:
        return positive_number(name, given)

    return typer.Option(name, parser=parse, metavar="NUMBER", help=text)

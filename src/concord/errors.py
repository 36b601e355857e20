"""The three kinds of failure, and the exit codes they become at the command line.

A *contract violation* means the data is wrong, *unavailable* that an engine is not there now,
*misconfigured* that a human must change something before it can work. A *disagreement* is none of
these: the program worked, and found two stores that differ.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """What the shell sees. Documented in ``concord --help`` and in the README."""

    OK = 0
    UNEXPECTED = 1
    USAGE = 2
    CONTRACT_VIOLATION = 3
    UNAVAILABLE = 4
    MISCONFIGURED = 5
    DISAGREEMENT = 6


class ConcordError(Exception):
    """A failure that has a clear answer. ``hint`` says what to do about it."""

    exit_code = ExitCode.UNEXPECTED

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ContractViolation(ConcordError):
    """The data breaks its contract: the message names file, column or row, and the value."""

    exit_code = ExitCode.CONTRACT_VIOLATION


class Unavailable(ConcordError):
    """An engine does not answer, or not in time: the message names it and its address."""

    exit_code = ExitCode.UNAVAILABLE


class Misconfigured(ConcordError):
    """A setting, port, file or package is wrong or missing: the message names it."""

    exit_code = ExitCode.MISCONFIGURED


class Disagreement(ConcordError):
    """Two stores differ, or a hop's rows do not add up."""

    exit_code = ExitCode.DISAGREEMENT

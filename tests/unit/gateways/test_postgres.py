"""What PostgreSQL says, in our words."""

import psycopg
import pytest
from psycopg import errors as server

from concord.errors import ConcordError, ContractViolation, Misconfigured, Unavailable
from concord.gateways.postgres import Postgres, TablesBusy, _in_words, _refusal


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (server.LockNotAvailable("busy"), TablesBusy),
        (server.DeadlockDetected("deadlock"), TablesBusy),
        (server.UniqueViolation("there already"), ContractViolation),
        (server.ForeignKeyViolation("no such row"), ContractViolation),
        (server.NumericValueOutOfRange("too large"), ContractViolation),
        (server.UndefinedTable("no such table"), Misconfigured),
        (server.SyntaxError("near frm"), Misconfigured),
        (server.InsufficientPrivilege("not yours"), Misconfigured),
        (server.AdminShutdown("going down"), Unavailable),
        (psycopg.OperationalError("connection lost"), Unavailable),
    ],
)
def test_an_error_of_the_server_is_one_of_our_kinds(error: psycopg.Error, kind: type[ConcordError]) -> None:
    said = _in_words(error, "127.0.0.1:5432/shop")
    assert type(said) is kind
    assert said.message == f"PostgreSQL at 127.0.0.1:5432/shop: {error}"


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ('FATAL: password authentication failed for user "shop"', Misconfigured),
        ('FATAL: database "shop" does not exist', Misconfigured),
        ("Connection refused", Unavailable),
        ("timeout expired", Unavailable),
    ],
)
def test_a_refused_login_is_a_matter_of_settings_and_silence_is_not(reason: str, kind: type[ConcordError]) -> None:
    said = _refusal(psycopg.OperationalError(reason), "127.0.0.1:5432/shop", "shop")
    assert type(said) is kind
    assert "127.0.0.1:5432/shop" in said.message


def test_a_full_disk_of_the_server_says_what_to_do() -> None:
    said = _in_words(server.DiskFull("could not extend file"), "127.0.0.1:5432/shop")
    assert type(said) is Unavailable
    assert "free some space" in said.hint


def test_a_password_is_in_no_message() -> None:
    assert "secret" not in Postgres("127.0.0.1", 5432, "shop", "shop", "secret").address

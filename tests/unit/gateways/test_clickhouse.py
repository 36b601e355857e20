"""What the ClickHouse gateway says without a server."""

import pickle

import pyarrow as pa
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError

from concord.errors import Misconfigured, Unavailable
from concord.gateways.clickhouse import ClickHouse, statements

STORE = ClickHouse(host="127.0.0.1", port=1, user="writer", password="s3cret", database="ecommerce")


def test_a_script_is_cut_at_semicolons_that_end_a_line() -> None:
    script = "-- made by hand\ncreate table a (s String default ';x');\n\nselect 1;  \nselect\n  2"

    assert statements(script) == ["create table a (s String default ';x')", "select 1", "select\n  2"]


def test_a_script_of_comments_has_no_statements() -> None:
    assert statements("-- nothing\n  -- here\n") == []


def test_the_password_is_not_shown() -> None:
    assert "s3cret" not in repr(STORE)


def test_it_can_be_sent_to_a_worker() -> None:
    assert pickle.loads(pickle.dumps(STORE)) == STORE


def test_nobody_at_the_address_is_unavailable_and_names_it() -> None:
    error = STORE._explained(OperationalError("Connection refused"), "select 1")

    assert isinstance(error, Unavailable)
    assert "127.0.0.1:1" in error.message


@pytest.mark.parametrize("code", [159, 202, 241, 252])
def test_an_overloaded_server_is_unavailable(code: int) -> None:
    assert isinstance(STORE._explained(DatabaseError("too much", code=code), "select 1"), Unavailable)


def test_a_wrong_password_names_the_user() -> None:
    error = STORE._explained(DatabaseError("Code: 516. DB::Exception: no", code=516), "select 1")

    assert isinstance(error, Misconfigured)
    assert "writer" in error.message


def test_a_bad_statement_is_shown_with_the_servers_words() -> None:
    text = "code: 60, server response: Code: 60. DB::Exception: no table x. (UNKNOWN_TABLE) (version 26.7) (for url y)"

    error = STORE._explained(DatabaseError(text, code=60), "select * from x")

    assert isinstance(error, Misconfigured)
    assert error.message.endswith("cannot run 'select * from x': no table x. (UNKNOWN_TABLE)")


def test_no_rows_are_inserted_without_asking_anyone() -> None:
    assert STORE.insert_arrow("events", pa.table({"a": pa.array([], pa.int64())}), "token") == 0


def test_an_insert_of_many_bytes_goes_in_pieces_each_with_a_token_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, list[str]]] = []
    monkeypatch.setattr("concord.gateways.clickhouse.MAX_INSERT_BYTES", 20)
    monkeypatch.setattr(
        ClickHouse, "_insert", lambda _, table, rows, token: sent.append((token, rows["a"].to_pylist()))
    )

    assert STORE.insert_arrow("events", pa.table({"a": ["x" * 15, "y" * 15, "z"]}), "token") == 3
    assert sent == [("token", ["x" * 15]), ("token|1", ["y" * 15, "z"])]

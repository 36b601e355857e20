"""What other sessions see, and what is left when something fails."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from concord.errors import ConcordError, Misconfigured
from concord.gateways.snowflake import Snowflake
from tests.conformance.snowflake.server import Server

pytestmark = pytest.mark.conformance

PATIENCE_SECONDS = 30


def _make(warehouse: Snowflake, name: str, rows: int = 10) -> str:
    warehouse.execute(f"create or replace table RAW.{name} (id number, batch number)")
    warehouse.execute(f"insert into RAW.{name} select seq4(), 0 from table(generator(rowcount => {rows}))")
    return f"RAW.{name}"


def _eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_merge_reports_what_it_did(warehouse: Snowflake) -> None:
    table = _make(warehouse, "merged", rows=2)
    statement = (
        f"merge into {table} as DBT_INTERNAL_DEST using (select 1 as id, 5 as batch union all select 7, 5) as S "
        'on (S.id = DBT_INTERNAL_DEST.id) when matched then update set "ID" = S."ID", "BATCH" = S."BATCH" '
        'when not matched then insert ("ID", "BATCH") values ("ID", "BATCH")'
    )
    columns, rows = warehouse.answer(statement)
    assert (columns, rows) == (["number of rows inserted", "number of rows updated"], [(1, 1)])
    assert warehouse.query(f"select id, batch from {table} order by id") == [(0, 0), (1, 5), (7, 5)]


def test_transaction_of_many_tables_appears_at_once(server: Server, warehouse: Snowflake) -> None:
    """The way a batch is published: readers that join two tables never see one new and one old."""
    first, second = _make(warehouse, "published_a"), _make(warehouse, "published_b")
    seen: set[tuple[int, int]] = set()
    stop = threading.Event()

    def read() -> None:
        with server.client() as reader:
            while not stop.is_set():
                seen.update(reader.query(f"select (select max(batch) from {first}), (select max(batch) from {second})"))

    with ThreadPoolExecutor(2) as readers:
        running = [readers.submit(read) for _ in range(2)]
        try:
            for batch in range(1, 6):
                with warehouse.transaction():
                    for table in (first, second):
                        warehouse.execute(f"delete from {table}")
                        warehouse.execute(
                            f"insert into {table} select seq4(), {batch} from table(generator(rowcount => 10))"
                        )
                assert _eventually(lambda batch=batch: (batch, batch) in seen)
        finally:
            stop.set()
        for reader in running:
            reader.result()
    assert {a == b for a, b in seen} == {True}


def test_swap_of_schemas_appears_at_once(server: Server, warehouse: Snowflake) -> None:
    for schema, value in (("LIVE", 1), ("SHADOW", 2)):
        warehouse.execute(f"create or replace schema {schema}")
        for table in ("a", "b"):
            warehouse.execute(f"create table {schema}.{table} (v number not null default 7) as select {value}")
    warehouse.execute("create view LIVE.sums as select a.v + b.v as v from LIVE.a, LIVE.b")
    seen: set[tuple[int, int]] = set()
    stop = threading.Event()

    def read() -> None:
        with server.client() as reader:
            while not stop.is_set():
                seen.update(reader.query("select (select v from LIVE.a), (select v from LIVE.b)"))

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read)
        assert _eventually(lambda: bool(seen))
        for _ in range(5):
            warehouse.execute("alter schema LIVE swap with SHADOW")
        assert _eventually(lambda: (2, 2) in seen)
        stop.set()
        reading.result()
    assert seen == {(1, 1), (2, 2)}
    assert warehouse.query("select v from SHADOW.sums") == [(4,)], "a view goes on reading the names it was made of"


def test_swap_of_tables_in_different_schemas_keeps_their_rows(warehouse: Snowflake) -> None:
    warehouse.execute("create or replace table MARTS.swapped (v number not null) as select 1")
    warehouse.execute("create or replace table STAGING.swapped (w number, x string) as select 2, 'two'")
    warehouse.execute("alter table MARTS.swapped swap with STAGING.swapped")
    assert warehouse.query("select w, x from MARTS.swapped") == [(2, "two")]
    with pytest.raises(Misconfigured, match="NOT NULL"):
        warehouse.execute("insert into STAGING.swapped values (null)")


def test_failed_swap_leaves_everything_as_it_was(warehouse: Snowflake) -> None:
    table = _make(warehouse, "unswapped")
    with pytest.raises(ConcordError):
        warehouse.execute(f"alter table {table} swap with RAW.not_there")
    assert warehouse.query(f"select count(*) from {table}") == [(10,)]


def test_rollback_undoes_merge_and_insert(warehouse: Snowflake) -> None:
    table = _make(warehouse, "undone")

    def die() -> None:
        with warehouse.transaction():
            warehouse.execute(f"insert into {table} values (100, 1)")
            warehouse.execute(f"merge into {table} t using (select 1 as id) s on t.id = s.id when matched then delete")
            raise RuntimeError("the batch dies")

    with pytest.raises(RuntimeError):
        die()
    assert warehouse.query(f"select count(*), max(batch) from {table}") == [(10, 0)]


def test_failed_statement_does_not_break_the_session(warehouse: Snowflake) -> None:
    table = _make(warehouse, "survivor")
    for wrong in ("selec", "select * from RAW.not_there", f"insert into {table} values ('x', 1)", "select 1/0"):
        with pytest.raises(ConcordError):
            warehouse.execute(wrong)
        assert warehouse.query(f"select count(*) from {table}") == [(10,)]


def test_failure_in_a_transaction_cannot_be_committed(warehouse: Snowflake) -> None:
    table = _make(warehouse, "half")
    warehouse.execute("begin")
    warehouse.execute(f"delete from {table}")
    with pytest.raises(ConcordError):
        warehouse.execute(f"insert into {table} values ('x', 1)")
    with pytest.raises(ConcordError, match="rolled back"):
        warehouse.execute("commit")
    assert warehouse.query(f"select count(*) from {table}") == [(10,)]


def test_definition_commits_what_is_open(warehouse: Snowflake) -> None:
    """As in Snowflake: a definition cannot be part of a transaction."""
    table = _make(warehouse, "committed")
    warehouse.execute("begin")
    warehouse.execute(f"delete from {table} where id = 0")
    warehouse.execute("create or replace table RAW.another (i number)")
    warehouse.execute("rollback")
    assert warehouse.query(f"select count(*) from {table}") == [(9,)]


def test_sessions_that_write_the_same_rows_take_turns(server: Server, warehouse: Snowflake) -> None:
    table = _make(warehouse, "counted", rows=1)

    def add(_number: int) -> None:
        with server.client() as writer:
            for _ in range(20):
                writer.execute(f"update {table} set batch = batch + 1")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(4)))
    assert warehouse.query(f"select batch from {table}") == [(80,)]


def test_sessions_that_write_different_tables_do_not_wait(server: Server) -> None:
    def fill(number: int) -> int:
        with server.client() as writer:
            for _ in range(5):
                table = _make(writer, f"own_{number}", rows=1000)
                writer.execute(f"create or replace table {table}_copy as select * from {table}")
            return int(writer.query(f"select count(*) from {table}_copy")[0][0])

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(fill, range(4))) == [1000] * 4


def test_two_transactions_on_the_same_rows_end_in_a_clear_error(server: Server, warehouse: Snowflake) -> None:
    table = _make(warehouse, "contended")
    with server.client() as other:
        other.execute("begin")
        other.execute("insert into RAW.contended values (50, 1)")
        warehouse.execute(f"update {table} set batch = 2")
        with pytest.raises(ConcordError, match="run this one again"):
            other.execute(f"update {table} set batch = 3")
        other.execute("rollback")
    assert warehouse.query(f"select distinct batch from {table}") == [(2,)]


def test_one_session_serves_many_threads(warehouse: Snowflake) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(
            lambda number: warehouse.query("select %s, sum(seq4()) from table(generator(rowcount => 1000))", (number,)),
            range(40),
        )
        assert [rows for rows in answers] == [[(number, 499500)] for number in range(40)]


def test_temporary_table_does_not_take_the_place_of_a_table(warehouse: Snowflake) -> None:
    table = _make(warehouse, "visible")
    with pytest.raises(Misconfigured, match="cannot hide"):
        warehouse.execute(f"create or replace temporary table {table} as select 1 as i")
    warehouse.execute("create or replace temporary table RAW.own as select 1 as i")
    warehouse.execute("create or replace temporary table RAW.own as select 2 as i")
    assert warehouse.query("select i from RAW.own") == [(2,)]


def test_temporary_table_is_gone_with_its_session(server: Server, warehouse: Snowflake) -> None:
    with server.client() as other:
        other.execute("create temporary table RAW.passing as select 1 as i")
        assert other.query("select i from RAW.passing") == [(1,)]
    with pytest.raises(Misconfigured, match="does not exist"):
        warehouse.query("select i from RAW.passing")

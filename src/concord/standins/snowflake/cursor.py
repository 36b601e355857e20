"""How one statement runs: rewritten, translated by fakesnow, executed with Snowflake's transaction rules."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import duckdb
import pyarrow as pa
from fakesnow.cursor import FakeSnowflakeCursor
from fakesnow.dialect import parse_one
from fakesnow.statement_type import DDL, statement_type_id
from fakesnow.transforms import SUCCESS_NOP
from sqlglot import Expr, exp

from concord.standins.snowflake import canonical, exchange, loading, merging, statements, temporary
from concord.standins.snowflake.expressions import adapt, quote_reserved
from concord.standins.snowflake.failures import ABORTED_TRANSACTION, LOCK_CONFLICT, Refused, as_refusal, is_conflict

if TYPE_CHECKING:
    from concord.standins.snowflake.sessions import Session

CONFLICT_PATIENCE_SECONDS = 60.0
"""How long a statement waits for rows that another session is changing."""
IDLE_BLOCKER_SECONDS = 30.0
"""An open transaction that nobody has touched for so long does not hold up others."""
_PAUSE_SECONDS = 0.05

_DEFINITIONS = (exp.Create, exp.Alter, exp.Drop, exp.Comment, exp.TruncateTable)
_CHANGES = (exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Copy)


@dataclass(frozen=True)
class Described:
    """A statement that was not run: its columns as (name, engine type, …), its kind, its parse."""

    columns: Sequence[Any]
    statement_type: int
    expression: Expr


class Cursor(FakeSnowflakeCursor):
    """One statement of a session, and its result."""

    def __init__(self, session: "Session", connection: duckdb.DuckDBPyConnection) -> None:
        super().__init__(session, connection)
        self.session = session
        self.statement_type = DDL
        self.types: list[Any] = []

    @property
    def rows(self) -> pa.Table | None:
        """The result, in the engine's types."""
        return cast("pa.Table | None", self._arrow_table)

    @property
    def executed(self) -> Expr | None:
        """The statement as it was run."""
        return cast("Expr | None", self._last_transformed)

    def run(self, sql: str, params: Any = None) -> None:
        """Execute one statement. A failure leaves the session usable, and no part of the statement done."""
        sql = self.session.inline(sql)
        self._refuse_if_aborted(sql)
        rewritten = statements.rewrite(sql)
        try:
            self._run(rewritten, params)
        except duckdb.Error as error:
            self._settle()
            raise as_refusal(error) from error
        except BaseException:
            self._settle()
            raise
        if rewritten.is_no_operation:
            self.statement_type = DDL

    def _run(self, rewritten: statements.Rewritten, params: Any) -> None:
        if swap := exchange.parse(rewritten.sql, params):
            exchange.carry_out(swap, self.session)
            self.statement_type = DDL
            self._succeed()
            return
        place = self._place(rewritten.temporary) if rewritten.temporary else None
        if place:
            temporary.refuse_to_hide(self._duck_conn, place)
        super().execute(rewritten.sql, params, binding_params=params, server=True)
        if place:
            temporary.mark(self._duck_conn, place, self.session.id)

    def _place(self, name: str) -> tuple[str, str, str]:
        parts = exp.to_table(name, dialect="snowflake").parts
        return self.session.qualified([part.name if part.args.get("quoted") else part.name.upper() for part in parts])

    def _settle(self) -> None:
        """The engine gives up the whole transaction after an error, so the client must hear of it."""
        if self.session.in_transaction:
            self.session.abort("a statement in it failed")

    def _refuse_if_aborted(self, sql: str) -> None:
        """ROLLBACK and BEGIN end the broken transaction; everything else, COMMIT too, is refused."""
        reason = self.session.aborted
        if reason is None:
            return
        word = sql.split(maxsplit=1)[0].strip(";").upper() if sql.strip() else ""
        if word in {"ROLLBACK", "COMMIT", "BEGIN", "START"}:
            self.session.aborted = None
        if word not in {"ROLLBACK", "BEGIN", "START"}:
            raise Refused(f"the transaction was rolled back: {reason}", ABORTED_TRANSACTION, "25000")

    def describe_only(self, sql: str) -> Described | None:
        """The columns a statement would return; None where only running it can tell."""
        rewritten = statements.rewrite(self.session.inline(sql))
        if exchange.parse(rewritten.sql):
            return None
        expression = parse_one(rewritten.sql)
        try:
            rows = self._describe_only(rewritten.sql)
        except duckdb.Error:
            self._settle()
            raise
        return None if rows is None else Described(rows, statement_type_id(expression), expression)

    # --- what fakesnow calls while it executes ---

    def _inline_variables(self, sql: str) -> str:
        # done in run(), which leaves text in quotes alone
        return sql

    def _transform_explode(self, expression: Expr) -> list[Expr]:
        self.statement_type = statement_type_id(expression)
        self._remember_temporary_stage(expression)
        adapt(expression, self.session.context)
        return [expression] if isinstance(expression, exp.Merge) else super()._transform_explode(expression)

    def _execute(self, transformed: Expr, params: Any = None) -> None:
        quote_reserved(transformed, self.session.engine.reserved)
        match transformed:
            case exp.Transaction():
                self.session.begin()
                self._succeed()
            case exp.Commit():
                self.session.commit_open()
                self._succeed()
            case exp.Rollback():
                self.session.rollback_open()
                self._succeed()
            case _:
                self._execute_within(transformed, params)

    def _execute_within(self, transformed: Expr, params: Any) -> None:
        """A definition commits what is open; a change opens a transaction if the session wants one."""
        is_definition = isinstance(transformed, _DEFINITIONS) or "create_stage_name" in transformed.args
        is_change = isinstance(transformed, _CHANGES) and not is_definition
        if is_definition:
            self.session.commit_open()
        elif is_change and not self.session.commits_each_statement:
            self.session.begin()
        self._execute_patiently(transformed, params)
        self.session.changes_in_transaction += is_change

    def _execute_patiently(self, transformed: Expr, params: Any) -> None:
        """Waits for rows that another session is changing, as long as nothing before would be lost."""
        deadline = time.monotonic() + CONFLICT_PATIENCE_SECONDS
        while True:
            try:
                return self._execute_once(transformed.copy(), params)
            except duckdb.TransactionException as error:
                if not is_conflict(error):
                    raise
                self._wait_for_others(error, deadline)

    def _wait_for_others(self, error: duckdb.Error, deadline: float) -> None:
        is_restartable = not self.session.in_transaction or self.session.changes_in_transaction == 0
        if self.session.in_transaction:
            self.session.rollback_open()
            if is_restartable:
                self.session.begin()
        self.session.engine.release_idle(IDLE_BLOCKER_SECONDS)
        if not is_restartable or time.monotonic() > deadline:
            self.session.aborted = None if is_restartable else "another session changed the same rows"
            raise Refused(
                f"another transaction changes the same rows; run this one again ({error})", LOCK_CONFLICT, "57014"
            )
        time.sleep(_PAUSE_SECONDS)

    def _execute_once(self, transformed: Expr, params: Any) -> None:
        if isinstance(transformed, exp.Merge):
            self._answer(merging.merge(self._duck_conn, transformed, params), transformed)
        elif isinstance(transformed, exp.Copy) and loading.is_csv(transformed, self.session):
            self._answer(loading.load_csv(self.session, transformed), transformed)
        else:
            statement = canonical.as_canonical(transformed, self._duck_conn, params)
            super()._execute(statement, params)
            self._note_types()
            self._require_columns(statement)
            self._finish_database(transformed)

    def _succeed(self) -> None:
        super()._execute(SUCCESS_NOP.copy())
        self._note_types()

    def _answer(self, answer: tuple[str, int], transformed: Expr) -> None:
        """A result that fakesnow did not make: the query that shows it, and the rows it stands for."""
        sql, count = answer
        super()._execute(exp.maybe_parse(sql, dialect="duckdb"))
        self._note_types()
        self._rowcount = count  # type: ignore[assignment]  # its type is inferred from None
        self._last_transformed = transformed  # type: ignore[assignment]

    def _note_types(self) -> None:
        """A result taken from the cache has the types it had then."""
        known, query_id = self.session.engine.results.types, str(self.sfqid)
        if query_id not in known:
            known[query_id] = [(column[0], str(column[1])) for column in self._duck_conn.description or ()]
        self.types = list(known[query_id])

    def _require_columns(self, created: Expr) -> None:
        table = created.this.sql(dialect="duckdb") if canonical.REQUIRED in created.args else ""
        for name in created.args.get(canonical.REQUIRED, ()):
            self._duck_conn.execute(f'ALTER TABLE {table} ALTER COLUMN "{name}" SET NOT NULL')

    def _finish_database(self, transformed: Expr) -> None:
        """A new database is the current one and has its schema PUBLIC."""
        name = transformed.args.get("create_db_name")
        if not name:
            return
        self.session.engine.prepare(name, self._duck_conn)
        self._duck_conn.execute(f"SET schema = '{name}.PUBLIC'")
        self.session.database, self.session.database_set = name, True
        self.session._schema, self.session.schema_set = "PUBLIC", True

    def _remember_temporary_stage(self, expression: Expr) -> None:
        is_stage = isinstance(expression, exp.Create) and str(expression.args.get("kind")).upper() == "STAGE"
        if not is_stage or not expression.find(exp.TemporaryProperty):
            return
        table = expression.find(exp.Table)
        if table is None:
            return
        parts = (table.catalog or self.session.database, table.db or self.session.schema, table.name)
        catalog, schema, name = (str(part).upper() for part in parts)
        self.session.temporary_stages.append((catalog, schema, name))

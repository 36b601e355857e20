"""One statement of a session, from the request's document to the answer's."""

from dataclasses import dataclass
from typing import Any

import duckdb
import snowflake.connector.errors as client_errors
import structlog
from fakesnow.statement_type import DML_TYPE_IDS, INSERT, SELECT
from sqlglot import exp

from concord.standins.snowflake import failures, stages
from concord.standins.snowflake.bindings import rows_of, value_of
from concord.standins.snowflake.cursor import Cursor
from concord.standins.snowflake.results import as_arrow, columns_of
from concord.standins.snowflake.sessions import Session, final_names
from concord.standins.snowflake.stages import StageFiles
from concord.telemetry.clock import now

log = structlog.get_logger("snowflake.standin")

Document = dict[str, Any]


@dataclass(frozen=True)
class Statement:
    """What a client asks for. ``base`` is the address it reached us at."""

    document: Document
    base: str
    is_jdbc: bool

    @property
    def sql(self) -> str:
        return str(self.document["sqlText"])


def answer(session: Session, statement: Statement, files: StageFiles) -> Document:
    """Run it, say what came of it, and remember that it was run."""
    with session.turn:
        session.touch()
        begun, asked = now(), _asked_from(session)
        said = _answered(session, statement, files)
        if not statement.document.get("describeOnly"):
            session.engine.history.note(statement.sql, said, asked, begun, now())
            session.engine.recorded.note(statement.document, said, {**asked, "client": session.context.get("client")})
        session.touch()
        return said


def _answered(session: Session, statement: Statement, files: StageFiles) -> Document:
    """Every failure is an answer too."""
    log.debug("statement", sql=statement.sql)
    try:
        return {"success": True, "data": _data(session, statement, files)}
    except (client_errors.Error, duckdb.Error) as error:
        log.info("refused", sql=statement.sql[:500], reason=str(error)[:500])
        return failures.body_of(error)
    except Exception as error:
        # what the translation cannot do ends in errors of any kind; unanswered, the client would ask for minutes
        log.warning("not supported", sql=statement.sql[:500], reason=f"{type(error).__name__}: {error}"[:500])
        log.debug("because", exc_info=True)
        return failures.body_of(error)


def _asked_from(session: Session) -> dict[str, Any]:
    """Where the session stands and as whom, in the words of the history."""
    asked = {f"{name.upper()}_NAME": session.context.get(name) for name in ("user", "role", "warehouse")}
    return {**asked, "DATABASE_NAME": session.database, "SCHEMA_NAME": session.schema}


def _data(session: Session, statement: Statement, files: StageFiles) -> Document:
    if download := stages.download_answer(files, statement.base, statement.sql):
        return download
    cursor = session.cursor()
    if statement.document.get("describeOnly") and (description := _description(cursor, session, statement.sql)):
        return description
    return _execute(cursor, session, statement, files)


def _execute(cursor: Cursor, session: Session, statement: Statement, files: StageFiles) -> Document:
    count = _run_all(cursor, statement)
    transformed = cursor.executed
    if transformed is not None and (put := transformed.args.get("put_stage_data")):
        name = transformed.args["put_stage_name"]
        return stages.upload_answer(files, statement.base, put, name, is_jdbc=statement.is_jdbc)
    return {
        "parameters": [{"name": "TIMEZONE", "value": "Etc/UTC"}],
        "queryId": cursor.sfqid,
        "statementTypeId": cursor.statement_type,
        **final_names(session),
        **_result(cursor, count),
    }


def _run_all(cursor: Cursor, statement: Statement) -> int | None:
    """Run it for each row of bound values; the number of rows affected if there are several."""
    bindings = statement.document.get("bindings") or {}
    if any(not place.isdigit() for place in bindings):
        cursor.run(statement.sql, {name: value_of(b["type"], b.get("value")) for name, b in bindings.items()})
        return None
    rows: list[Any] = [*rows_of(bindings)] or [None]
    if len(rows) == 1:
        cursor.run(statement.sql, rows[0])
        return None
    return sum(_affected(cursor, statement.sql, row) for row in rows)


def _affected(cursor: Cursor, sql: str, row: Any) -> int:
    cursor.run(sql, row)
    return cursor.rowcount or 0


def _result(cursor: Cursor, count: int | None) -> Document:
    """Rows as Arrow; counts of changes as JSON, where drivers look for them."""
    table = cursor.rows
    columns = columns_of(cursor.types)
    total = 0 if table is None else table.num_rows
    answer: Document = {"rowtype": [column.described() for column in columns], "total": total}
    if table is None:
        return {**answer, "queryResultFormat": "arrow", "rowsetBase64": ""}
    if cursor.statement_type in DML_TYPE_IDS:
        rows = [[str(count)]] if count is not None else _as_text(table.to_pylist())
        return {**answer, "total": len(rows), "returned": len(rows), "queryResultFormat": "json", "rowset": rows}
    return {**answer, "returned": total, "queryResultFormat": "arrow", "rowsetBase64": as_arrow(table, columns)}


def _as_text(rows: list[dict[str, Any]]) -> list[list[str | None]]:
    return [[None if value is None else str(value) for value in row.values()] for row in rows]


def _description(cursor: Cursor, session: Session, sql: str) -> Document | None:
    """The columns a statement would return, without running it; None where only running it can tell."""
    described = cursor.describe_only(sql)
    if described is None:
        return None
    rowtype = [column.described() for column in columns_of(described.columns)]
    is_query = described.statement_type == SELECT
    rows: Document = {"rowsetBase64": ""} if is_query else {"rowset": []}
    return {
        "rowtype": rowtype,
        "total": 0,
        "returned": 0,
        "queryId": cursor.sfqid,
        "statementTypeId": described.statement_type,
        "numberOfBinds": len(list(described.expression.find_all(exp.Placeholder))),
        "arrayBindSupported": described.statement_type == INSERT,
        "queryResultFormat": "arrow" if is_query else "json",
        **rows,
        **final_names(session),
    }

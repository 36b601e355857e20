"""COPY INTO a table from CSV files of a stage: the way the Spark connector brings rows.

fakesnow lets the engine guess what a column holds, so that text such as ``007`` or ``true`` changes
on its way. Here every field is read as text, and converted by the type of its column.
"""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fakesnow import copy_into
from fakesnow.transforms import stage
from fakesnow.transforms.file_format import lookup_file_format
from fakesnow.transforms.options import parse_options
from sqlglot import Expr, exp

from concord.standins.snowflake.failures import Refused

if TYPE_CHECKING:
    from concord.standins.snowflake.sessions import Session

MAX_LINE_BYTES = 64 << 20
_NEVER = "\x01none"
"""Stands for "no text means null": the engine would take the empty string."""
_ZONE_FIRST = "TZHTZM "
_RESULT = (
    "file", "status", "rows_parsed", "rows_loaded", "error_limit", "errors_seen",
    "first_error", "first_error_line", "first_error_character", "first_error_column_name",
)  # fmt: skip

Options = Mapping[str, Any]


@dataclass(frozen=True)
class Copy:
    """What a COPY statement asks for."""

    target: exp.Table
    columns: tuple[str, ...]
    source: Expr
    options: Options
    format: Options
    files: tuple[str, ...]

    def is_on(self, option: str) -> bool:
        return str(self.options.get(option, "FALSE")).upper() == "TRUE"


@dataclass(frozen=True)
class Column:
    """A column of the target table and its engine type."""

    name: str
    type: str


def is_csv(statement: exp.Copy, session: "Session") -> bool:
    """True if it loads CSV, which is also what no format means."""
    if not isinstance(statement.this, exp.Table | exp.Schema):
        return False
    return str(_format(statement, session).get("TYPE", "CSV")).upper() == "CSV"


def load_csv(session: "Session", statement: exp.Copy) -> tuple[str, int]:
    """Load all files or none. The query of the report per file, and the number of rows."""
    copy = _parse(statement, session)
    urls = _urls(session, copy)
    if not urls:
        return "SELECT 'Copy executed with 0 files processed.' AS \"status\"", 0
    insert = _insert(session, copy)
    if session.in_transaction:
        loaded = [_load(session, copy, insert, url) for url in urls]
    else:
        with session.atomic():
            loaded = [_load(session, copy, insert, url) for url in urls]
    return _report(urls, loaded), sum(count or 0 for count in loaded)


# --- reading the statement ---


def _parse(statement: exp.Copy, session: "Session") -> Copy:
    options = {_option(param): _value(param) for param in _params(statement)}
    files = [_texts(param) for param in _params(statement) if _option(param) == "FILES"]
    _refuse_unknown(options)
    target = statement.this
    is_listed = isinstance(target, exp.Schema)
    table = target.this if is_listed else target
    columns = tuple(column.name for column in target.expressions) if is_listed else ()
    source = statement.args["files"][0]
    return Copy(table, columns, source, options, _format(statement, session), tuple(files[0]) if files else ())


_KNOWN = {"FILE_FORMAT", "FILES", "FORCE", "PURGE", "ON_ERROR", "PATTERN", "TRUNCATECOLUMNS", "RETURN_FAILED_ONLY"}


def _refuse_unknown(options: Options) -> None:
    for name in options.keys() - _KNOWN:
        raise Refused(f"COPY option {name} is not supported by the stand-in", 2, "0A000")
    if str(options.get("ON_ERROR", "ABORT_STATEMENT")).upper() != "ABORT_STATEMENT":
        raise Refused("the stand-in loads a file whole or not at all: ON_ERROR=ABORT_STATEMENT", 2, "0A000")


def _params(statement: exp.Copy) -> list[exp.CopyParameter]:
    return statement.args.get("params") or []


def _option(param: exp.CopyParameter) -> str:
    return str(param.this.name).upper()


def _value(param: exp.CopyParameter) -> str:
    value = param.args.get("expression")
    return value.name or value.sql() if isinstance(value, Expr) else ""


def _texts(param: exp.CopyParameter) -> list[str]:
    return [literal.name for literal in param.find_all(exp.Literal)]


def _format(statement: exp.Copy, session: "Session") -> Options:
    for param in _params(statement):
        if _option(param) == "FILE_FORMAT":
            options: dict[str, Any] = parse_options(param.expressions)
            name = options.pop("FORMAT_NAME", None)
            named = lookup_file_format(session.duck, str(name), session.database, session.schema) if name else {}
            return {**named, **options}
    return {}


# --- finding the files ---


def _urls(session: "Session", copy: Copy) -> list[str]:
    reference = copy_into._from_source(exp.Copy(files=[copy.source]))
    base = _base(session, copy, reference)
    if copy.files:
        return list(copy_into._source_urls(base, list(copy.files)))
    found: list[str] = sorted(copy_into._source_glob(base, session.duck))
    pattern = copy.options.get("PATTERN")
    return [url for url in found if pattern is None or re.fullmatch(pattern, url.removeprefix(base).lstrip("/"))]


def _base(session: "Session", copy: Copy, reference: str) -> str:
    if not reference.startswith("@"):
        return reference
    url: str = copy_into.stage_url_from_var(
        reference[1:], session.duck, session.database, session.schema, session.table_stages, copy.target
    )
    return url


# --- loading them ---


def _insert(session: "Session", copy: Copy) -> str:
    """The statement that loads one file, its place left open."""
    target = session.qualified([part.name for part in copy.target.parts])
    table = ".".join(f'"{part}"' for part in target)
    described = [Column(str(row[0]), str(row[1])) for row in session.duck.execute(f"DESCRIBE {table}").fetchall()]
    by_name = {column.name.upper(): column for column in described}
    columns = [by_name[name.upper()] for name in copy.columns] if copy.columns else described
    values = _values(copy, columns)
    width = len(columns) if not isinstance(copy.source, exp.Subquery) else _width(copy.source)
    names = ", ".join(f'"{column.name}"' for column in columns)
    return f"INSERT INTO {table} ({names}) SELECT {', '.join(values)} FROM {_reader(copy.format, width)}"


def _values(copy: Copy, columns: Sequence[Column]) -> list[str]:
    if isinstance(copy.source, exp.Subquery):
        return [_field(expression).sql(dialect="duckdb") for expression in copy.source.this.expressions]
    return [_converted(f"column{place}", column.type, copy.format) for place, column in enumerate(columns, 1)]


def _field(expression: Expr) -> Expr:
    """``$2`` of a transforming COPY is the second field."""
    return expression.transform(
        lambda node: exp.column(f"column{node.name}") if isinstance(node, exp.Parameter) else node
    )


def _width(source: exp.Subquery) -> int:
    places = [int(parameter.name) for parameter in source.find_all(exp.Parameter)]
    return max(places, default=1)


def _converted(field: str, kind: str, options: Options) -> str:
    if kind.startswith("TIMESTAMP"):
        return _instant(field, kind, str(options.get("TIMESTAMP_FORMAT", "AUTO")))
    if kind == "DATE":
        return f"CAST({_instant(field, 'TIMESTAMP', str(options.get('DATE_FORMAT', 'AUTO')))} AS DATE)"
    if kind == "BLOB":
        return f"{_BINARY[str(options.get('BINARY_FORMAT', 'HEX')).upper()]}({field})"
    return f"CAST({field} AS {kind})"


_BINARY = {"HEX": "from_hex", "BASE64": "from_base64", "UTF8": "encode"}


def _instant(field: str, kind: str, form: str) -> str:
    """The connector writes the zone first. Without a zone in its type a column keeps the wall clock."""
    if form.upper() == "AUTO":
        return f"CAST({field} AS {kind})"
    if not form.upper().startswith(_ZONE_FIRST):
        raise Refused(f"the stand-in does not know the format {form}", 2, "0A000")
    order = r"\2\1" if kind == "TIMESTAMP WITH TIME ZONE" else r"\2"
    moved = f"regexp_replace({field}, '^(Z|[+-]\\d{{4}}) (.*)$', '{order}')"
    return f"CAST({moved} AS {kind})"


def _reader(options: Options, width: int) -> str:
    columns = ", ".join(f"'column{place}': 'VARCHAR'" for place in range(1, width + 1))
    quote = str(options.get("FIELD_OPTIONALLY_ENCLOSED_BY", "NONE"))
    settings = {
        "columns": f"{{{columns}}}",
        "auto_detect": "false",
        "header": "false",
        "skip": str(int(options.get("SKIP_HEADER", 0))),
        "delim": _text(str(options.get("FIELD_DELIMITER", ","))),
        "quote": _text("" if quote.upper() == "NONE" else quote),
        "escape": _text("" if quote.upper() == "NONE" else quote),
        "nullstr": f"[{', '.join(_text(text) for text in _null_texts(options))}]",
        "allow_quoted_nulls": "false",
        "compression": _text(_compression(options)),
        "max_line_size": str(MAX_LINE_BYTES),
        "buffer_size": str(2 * MAX_LINE_BYTES),
    }
    return f"read_csv($1, {', '.join(f'{name} = {value}' for name, value in settings.items())})"


def _null_texts(options: Options) -> list[str]:
    given = options.get("NULL_IF", ["\\N"])
    texts = [str(text) for text in given] if isinstance(given, list) else [str(given)]
    if str(options.get("EMPTY_FIELD_AS_NULL", True)).upper() == "TRUE":
        texts.append("")
    return list(dict.fromkeys(texts)) or [_NEVER]


def _compression(options: Options) -> str:
    given = str(options.get("COMPRESSION", "AUTO")).lower()
    return "auto_detect" if given == "auto" else given


def _text(value: str) -> str:
    return exp.Literal.string(value).sql(dialect="duckdb")


_HISTORY = "_fs_information_schema._fs_load_history"


def _load(session: "Session", copy: Copy, insert: str, url: str) -> int | None:
    """Rows of one file; None if the table has had it before, as Snowflake remembers."""
    database, schema, table = session.qualified([part.name for part in copy.target.parts])
    history = f'"{database}".{_HISTORY}'
    known = f"SELECT 1 FROM {history} WHERE FILE_NAME = ? AND TABLE_NAME = ? AND SCHEMA_NAME = ? LIMIT 1"
    if not copy.is_on("FORCE") and session.duck.execute(known, [url, table, schema]).fetchone():
        return None
    (count,) = session.duck.execute(insert, [url]).fetchall()[0]
    session.duck.execute(
        f"INSERT INTO {history} (SCHEMA_NAME, FILE_NAME, TABLE_NAME, LAST_LOAD_TIME, STATUS, ROW_COUNT, ROW_PARSED, "
        "ERROR_COUNT, ERROR_LIMIT) VALUES (?, ?, ?, now(), 'LOADED', ?, ?, 0, 1)",
        [schema, url, table, count, count],
    )
    if copy.is_on("PURGE") and stage.is_internal(url):
        os.remove(url)
    return int(count)


def _report(urls: Sequence[str], loaded: Sequence[int | None]) -> str:
    rows = [
        (_file_name(url), "LOAD_SKIPPED", 0, 0, None, 1, "File was loaded before.", None, None, None)
        if count is None
        else (_file_name(url), "LOADED", count, count, 1, 0, None, None, None, None)
        for url, count in zip(urls, loaded, strict=True)
    ]
    return exp.select("*").from_(exp.values(rows, alias="t", columns=_RESULT)).sql(dialect="duckdb")


def _file_name(url: str) -> str:
    return str(copy_into._result_file_name(url))

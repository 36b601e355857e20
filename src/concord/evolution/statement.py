"""An ``ALTER TABLE`` of PostgreSQL, read into the changes that it makes."""

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from concord.contracts.model import Dataset
from concord.contracts.tables import TABLES
from concord.errors import ConcordError, ExitCode
from concord.evolution.source_types import SourceType, source_type

# What it cannot read it also logs; here that becomes an error of its own.
logging.getLogger("sqlglot").addHandler(logging.NullHandler())
logging.getLogger("sqlglot").propagate = False

SHOWN = 60
EXAMPLE = 'for instance: concord schema rehearse "ALTER TABLE orders ADD COLUMN channel text"'
SCHEMA = "public"
FILLED = (exp.DefaultColumnConstraint, exp.GeneratedAsIdentityColumnConstraint, exp.ComputedColumnConstraint)
UNSENT_COMMANDS = ("replica identity full", "replica identity default", "owner to", "set statistics", "cluster on")
"""Statements that the parser leaves as they are, of which no record looks different."""


class NotRehearsed(ConcordError):
    """What was given is no statement whose effect could be told."""

    exit_code = ExitCode.USAGE


@dataclass(frozen=True)
class Added:
    """``is_filled``: rows that are there get a value; ``needs_value``: they get none, and it must not be null."""

    column: str
    type: SourceType
    is_filled: bool = False
    needs_value: bool = False

    def __str__(self) -> str:
        return f"add {self.column} {self.type.sql}"


@dataclass(frozen=True)
class Dropped:
    column: str

    def __str__(self) -> str:
        return f"drop {self.column}"


@dataclass(frozen=True)
class Renamed:
    column: str
    to: str

    def __str__(self) -> str:
        return f"rename {self.column} to {self.to}"


@dataclass(frozen=True)
class Retyped:
    """``is_computed``: rows that are there get another value by an expression."""

    column: str
    type: SourceType
    is_computed: bool = False

    def __str__(self) -> str:
        return f"{self.column} to {self.type.sql}"


@dataclass(frozen=True)
class Nullability:
    column: str
    is_nullable: bool

    def __str__(self) -> str:
        return f"{self.column} {'may' if self.is_nullable else 'must not'} be null"


@dataclass(frozen=True)
class Unsent:
    """Defaults, constraints, owners: no record looks different."""

    what: str

    def __str__(self) -> str:
        return self.what


@dataclass(frozen=True)
class KeyDropped:
    """The primary key, by which records are keyed and changes told apart."""

    def __str__(self) -> str:
        return "drop the primary key"


@dataclass(frozen=True)
class TableRenamed:
    to: str

    def __str__(self) -> str:
        return f"rename the table to {self.to}"


Action = Added | Dropped | Renamed | Retyped | Nullability | Unsent | KeyDropped | TableRenamed


@dataclass(frozen=True)
class Alteration:
    """One statement: a captured table and what happens to it, in order."""

    table: Dataset
    actions: tuple[Action, ...]


def alteration(sql: str) -> Alteration:
    """Raises :class:`NotRehearsed` for anything but one ALTER TABLE of a captured table that can be read."""
    statement = _only(sql)
    if isinstance(statement, exp.Command):
        return _unparsed(sql)
    if not isinstance(statement, exp.Alter) or statement.args.get("kind") != "TABLE":
        raise _not_one(sql)
    table = _table(statement.this)
    actions = tuple(_actions(statement, table))
    _refuse_what_stands_twice(table, actions)
    return Alteration(table, actions)


def _only(sql: str) -> exp.Expr:
    try:
        statements = [each for each in sqlglot.parse(sql, read="postgres") if each is not None]
    except SqlglotError as error:
        found = getattr(error, "errors", None)
        why = str(found[0]["description"] if found else error).partition("<")[0].splitlines()[0]
        raise NotRehearsed(f"cannot read {_short(sql)!r}: {why[:SHOWN].strip()}", EXAMPLE) from None
    if len(statements) != 1:
        raise NotRehearsed(f"one statement is rehearsed at a time, not {len(statements)}", EXAMPLE)
    return statements[0]


def _not_one(sql: str) -> NotRehearsed:
    return NotRehearsed(f"not an ALTER TABLE: {_short(sql)!r}", EXAMPLE)


def _short(sql: str) -> str:
    words = " ".join(sql.split())
    return words if len(words) <= SHOWN else f"{words[:SHOWN]}…"


def _name(identifier: exp.Expr) -> str:
    """As PostgreSQL keeps it: in small letters unless it is quoted."""
    found = identifier.find(exp.Identifier)
    return identifier.name if found is None or found.args.get("quoted") else identifier.name.lower()


def _table(table: exp.Expr) -> Dataset:
    schema = table.args.get("db")
    return _captured(_name(table.this), _name(schema) if schema else SCHEMA)


def _captured(name: str, schema: str = SCHEMA) -> Dataset:
    if name not in TABLES or schema != SCHEMA:
        full = name if schema == SCHEMA else f"{schema}.{name}"
        raise NotRehearsed(f"table {full!r} is not captured", f"captured are: {', '.join(TABLES)}")
    return TABLES[name]


def _unparsed(sql: str) -> Alteration:
    """What the parser leaves as it is: a few statements that no record shows, and what cannot be read."""
    words = sql.rstrip("; \n").lower().split()
    if words[:2] != ["alter", "table"]:
        raise _not_one(sql)
    named = [word for word in words[2:] if word not in ("only", "if", "exists")]
    if not named:
        raise _not_one(sql)
    table = _captured(named[0].removeprefix(f"{SCHEMA}.").strip('"'))
    rest = " ".join(named[1:])
    for known in UNSENT_COMMANDS:
        if rest.startswith(known):
            return Alteration(table, (Unsent(known),))
    raise NotRehearsed(f"what this does to {table.name} cannot be told: {_short(rest) or 'nothing'!r}", EXAMPLE)


def _refuse_what_stands_twice(table: Dataset, actions: tuple[Action, ...]) -> None:
    named = Counter(action.column for action in actions if not isinstance(action, Unsent | KeyDropped | TableRenamed))
    named.update(action.to for action in actions if isinstance(action, Renamed))
    for column, times in named.items():
        if times > 1:
            raise NotRehearsed(f"{table.name}.{column} stands in it {times} times", "rehearse the parts one by one")


def _actions(statement: exp.Alter, table: Dataset) -> Iterator[Action]:
    options = [option for option in statement.args.get("options") or () if isinstance(option, exp.ToTableProperty)]
    for action in statement.args.get("actions") or ():
        if isinstance(action, exp.AlterRename) and options:  # RENAME a TO b, without the word COLUMN
            yield Renamed(_declared(table, action.this), _name(options[0].this))
        else:
            yield from _action(action, table)


def _action(action: exp.Expr, table: Dataset) -> Iterator[Action]:
    match action:
        case exp.ColumnDef():
            yield _added(action, table)
        case exp.Drop():
            yield from (_dropped(action, each, table) for each in action.args["tables"])
        case exp.RenameColumn():
            yield Renamed(_declared(table, action.this), _name(action.args["to"]))
        case exp.AlterRename():
            yield TableRenamed(_name(action.this))
        case exp.AlterColumn():
            yield _altered(action, table)
        case exp.AddConstraint():
            yield Unsent("add a constraint")
        case _:
            raise NotRehearsed(f"what this does to {table.name} cannot be told: {_short(action.sql('postgres'))!r}")


def _declared(table: Dataset, identifier: exp.Expr) -> str:
    """Raises :class:`NotRehearsed` for a column that no store has: a slip, or nothing that anybody downstream reads."""
    name = _name(identifier)
    if name not in table.names:
        raise NotRehearsed(
            f"{table.name} has no column {name!r} by its contract",
            f"declared are: {', '.join(table.names)}; what is not declared reaches no store, and may change freely",
        )
    return name


def _added(definition: exp.ColumnDef, table: Dataset) -> Action:
    name = _name(definition.this)
    if definition.args.get("kind") is None:
        raise NotRehearsed(f"column {name!r} is added without a type", EXAMPLE)
    if definition.args.get("exists") and name in table.names and not table[name].may_be_absent:
        return Unsent(f"{name} is there already")
    kind = source_type(definition.args["kind"])
    is_filled = kind.is_serial or any(isinstance(each.kind, FILLED) for each in definition.constraints)
    return Added(name, kind, is_filled, not is_filled and any(map(_is_not_null, definition.constraints)))


def _is_not_null(constraint: exp.ColumnConstraint) -> bool:
    return isinstance(constraint.kind, exp.NotNullColumnConstraint) and not constraint.kind.args.get("allow_null")


def _dropped(action: exp.Drop, dropped: exp.Expr, table: Dataset) -> Action:
    if action.args.get("kind") == "COLUMN":
        return Dropped(_declared(table, dropped))
    return KeyDropped() if _name(dropped) == f"{table.name}_pkey" else Unsent("drop a constraint")


def _altered(action: exp.AlterColumn, table: Dataset) -> Action:
    column = _declared(table, action.this)
    if dtype := action.args.get("dtype"):
        return Retyped(column, source_type(dtype), bool(action.args.get("using")))
    if (allow_null := action.args.get("allow_null")) is not None:
        return Nullability(column, bool(allow_null))
    return Unsent(f"a default of {column}")

"""What a statement needs an account's role to be allowed, and what the declared grants allow.

Of an account's rules only those that the pipeline's statements meet are here. Whoever makes a thing owns it, and
what the set-up makes is the administrator's. A temporary table needs no more than the use of its schema.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import sqlglot
from sqlglot import exp

from concord.contracts.warehouse import DATABASE, GOVERNANCE
from concord.dialects.snowflake import TABLES_BY_SCHEMA, account
from tests.warehouse_record import Sent

ADMINISTRATORS = frozenset({"ACCOUNTADMIN", "SYSADMIN"})
"""They have every role, and own what the set-up makes."""
ADMINISTRATOR = "ACCOUNTADMIN"
OWNERSHIP = "ownership"
FREE = re.compile(
    r"(alter session|begin|commit|rollback|show|describe|desc|use|get @|put file:|select \* from table\(result_scan\()",
    re.IGNORECASE,
)
"""They need nothing that the statements beside them do not need, or a stage of the session's own."""
COPY = re.compile(r"copy into (\S+) from @", re.IGNORECASE)
STAGE = re.compile(r"create (?:or replace )?temporary stage", re.IGNORECASE)
RENAME = re.compile(r"alter table (\S+) rename to (\S+)", re.IGNORECASE)
SWAP = re.compile(r"alter table (\S+) swap with (\S+)", re.IGNORECASE)
NAMED = {"tables": "table", "views": "table"}


@dataclass(frozen=True)
class Need:
    """One privilege on one thing: a ``table`` (or view), ``schema`` or ``database``."""

    privilege: str
    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.privilege} on {self.kind} {self.name}"


@dataclass
class Account:
    """Grants, and who owns what: it changes as statements are carried out."""

    grants: set[tuple[str, Need]] = field(default_factory=set)
    owners: dict[str, str] = field(default_factory=dict)
    temporary: set[str] = field(default_factory=set)

    @classmethod
    def set_up(cls) -> "Account":
        """As the declared set-up leaves it."""
        its = cls()
        for schema, datasets in TABLES_BY_SCHEMA.items():
            its.owners |= {schema.upper(): ADMINISTRATOR}
            its.owners |= {f"{schema}.{dataset.name}".upper(): ADMINISTRATOR for dataset in datasets}
        its.owners |= {GOVERNANCE: ADMINISTRATOR, "QUALITY.FLAGGED_ROWS": ADMINISTRATOR}
        for statement in account.grants():
            its.grants.update(granted(statement))
        return its

    def carry_out(self, sent: Sent) -> list[Need]:
        """What the role lacks for it; what it makes or drops is taken note of."""
        if sent.role in ADMINISTRATORS:
            return []
        lacking = [need for need in needs(sent) if not self._allows(sent.role, need)]
        if sent.succeeded and not FREE.match(sent.words):
            self._note(sent)
        return lacking

    def _allows(self, role: str, need: Need) -> bool:
        if need.name in self.temporary:
            return True
        owner = self.owners.get(need.name)
        if need.privilege == OWNERSHIP:
            return owner in (role, None)  # of nothing: `drop … if exists` of what is not there
        if owner == role or (role, need) in self.grants:
            return True
        schema = need.name.partition(".")[0]
        everywhere = Need(need.privilege, "table", f"{schema}.*")
        return need.kind == "table" and (role, everywhere) in self.grants

    def _note(self, sent: Sent) -> None:
        if renamed := RENAME.match(sent.words) or None:
            old, new = (full_name(name, sent.schema) for name in renamed.groups())
            self.owners[new] = self.owners.pop(old, sent.role)
            return
        if COPY.match(sent.words) or STAGE.match(sent.words):
            return
        tree = parsed(sent.sql)
        if isinstance(tree, exp.Create) and tree.kind in ("TABLE", "VIEW", "SCHEMA"):
            name = created(tree, sent.schema)
            if _is_temporary(tree):
                self.temporary.add(name)
            else:
                self.owners.setdefault(name, sent.role)
        elif isinstance(tree, exp.Drop) and tree.kind in ("TABLE", "VIEW", "SCHEMA"):
            for name in dropped(tree, sent.schema):
                self.temporary.discard(name)
                self.owners.pop(name, None)


def granted(statement: str) -> Iterator[tuple[str, Need]]:
    """A grant, privilege by privilege."""
    found = re.fullmatch(
        r"grant (.+?) on (?:(all|future) (tables|views) in schema (\S+)|(\w+) (\S+)) to role (\S+)", statement
    )
    if not found:
        assert statement.startswith("grant database role "), statement
        return
    privileges, _, many, schema, kind, name, role = found.groups()
    for privilege in privileges.split(", "):
        yield role, Need(privilege, NAMED[many], f"{schema}.*".upper()) if many else Need(privilege, kind, name.upper())


def needs(sent: Sent) -> set[Need]:
    """Everything that an account asks for before it carries the statement out."""
    asked = set(_needs(sent))
    return asked | {
        Need("usage", "schema", need.name.partition(".")[0]) for need in asked if need.kind in ("table", "schema")
    }


def _needs(sent: Sent) -> Iterator[Need]:
    words, schema = sent.words, sent.schema
    if FREE.match(words):
        return
    if copied := COPY.match(words):
        yield _on_table("insert", full_name(copied[1], schema))
    elif STAGE.match(words):
        yield Need("create stage", "schema", schema)
    elif renamed := RENAME.match(words):
        yield _on_table(OWNERSHIP, full_name(renamed[1], schema))
        yield Need("create table", "schema", full_name(renamed[2], schema).partition(".")[0])
    elif swapped := SWAP.match(words):
        yield from (_on_table(OWNERSHIP, full_name(name, schema)) for name in swapped.groups())
    else:
        yield from _of_tree(parsed(sent.sql), schema)


def _of_tree(tree: exp.Expr, schema: str) -> Iterator[Need]:
    match tree:
        case exp.Create(kind="DATABASE"):
            yield Need("create database", "account", "")
        case exp.Create(kind="SCHEMA"):
            yield Need("create schema", "database", DATABASE)
        case exp.Create(kind="TABLE" | "VIEW"):
            name = created(tree, schema)
            if not _is_temporary(tree):
                yield Need(f"create {tree.kind.lower()}", "schema", name.partition(".")[0])
            if tree.args.get("replace"):
                yield _on_table(OWNERSHIP, name)
            yield from _read(tree, schema, but=tree.this)
        case exp.Drop():
            yield from (
                Need(OWNERSHIP, "schema" if tree.kind == "SCHEMA" else "table", n) for n in dropped(tree, schema)
            )
        case exp.Alter():
            yield _on_table(OWNERSHIP, _name(tree.this, schema))
        case exp.Insert():
            yield _on_table("insert", _name(_table(tree.this), schema))
            yield from _read(tree, schema, but=tree.this)
        case exp.Update() | exp.Delete():
            name = _name(_table(tree.this), schema)
            yield _on_table(tree.key, name)
            if tree.args.get("where") or tree.args.get("using"):
                yield _on_table("select", name)
            yield from _read(tree, schema, but=tree.this)
        case exp.Merge():
            name = _name(_table(tree.this), schema)
            yield _on_table("select", name)
            yield from (_on_table(what, name) for what in _merged(tree))
            yield from _read(tree, schema, but=tree.this)
        case exp.Query():
            yield from _read(tree, schema)
        case _:
            raise AssertionError(f"nobody has said what this needs: {tree.sql('snowflake')[:200]}")


def written(tree: exp.Expr, schema: str) -> list[str]:
    """What the statement makes, drops or changes, by full names."""
    match tree:
        case exp.Create(kind="DATABASE"):
            return [tree.this.name.upper()]
        case exp.Create():
            return [created(tree, schema)]
        case exp.Drop():
            return dropped(tree, schema)
        case exp.Alter() | exp.Insert() | exp.Update() | exp.Delete() | exp.Merge():
            return [_name(_table(tree.this), schema)]
        case _:
            return []


def read(tree: exp.Expr, schema: str) -> set[str]:
    """Tables and views that the statement reads, by full names."""
    is_query = isinstance(tree, exp.Query)
    if isinstance(tree, exp.Drop | exp.Alter):
        return set()
    return {need.name for need in _read(tree, schema, but=None if is_query else tree.this)}


def _merged(tree: exp.Merge) -> set[str]:
    done = (when.args["then"] for when in tree.find_all(exp.When))
    return {then.name.lower() if isinstance(then, exp.Var) else then.key for then in done}


def _read(tree: exp.Expr, schema: str, but: exp.Expr | None = None) -> Iterator[Need]:
    """Tables and views that the statement reads: not the one that it writes, nor what it names in `with`."""
    own = {cte.alias.upper() for cte in tree.find_all(exp.CTE)}
    written = set(map(id, but.find_all(exp.Table))) if but is not None else set()
    for table in tree.find_all(exp.Table):
        is_own = not table.db and table.name.upper() in own
        if id(table) in written or is_own or not isinstance(table.this, exp.Identifier):
            continue
        if table.db.upper() == "INFORMATION_SCHEMA" or table.catalog.upper() == "SNOWFLAKE":
            continue
        yield _on_table("select", _name(table, schema))


def _on_table(privilege: str, name: str) -> Need:
    return Need(privilege, "table", name)


def parsed(sql: str) -> exp.Expr:
    return sqlglot.parse_one(sql, read="snowflake")


def created(tree: exp.Create, schema: str) -> str:
    return _name(_table(tree.this), schema, tree.kind)


def dropped(tree: exp.Drop, schema: str) -> list[str]:
    return [_name(table, schema, tree.kind) for table in tree.args["tables"]]


def _is_temporary(tree: exp.Create) -> bool:
    properties = tree.args.get("properties")
    return bool(properties and properties.find(exp.TemporaryProperty))


def _table(tree: exp.Expr) -> exp.Table:
    found = tree if isinstance(tree, exp.Table) else tree.find(exp.Table)
    assert isinstance(found, exp.Table), tree
    return found


def _name(table: exp.Expr, schema: str, kind: str | None = "TABLE") -> str:
    if kind == "SCHEMA":
        return (table.args["db"] if table.args.get("db") else table.this).name.upper()
    return f"{table.args['db'].name if table.args.get('db') else schema}.{table.name}".upper()


def full_name(name: str, schema: str) -> str:
    parts = name.replace('"', "").upper().split(".")
    return ".".join([schema, *parts][-2:])


def lacking(statements: Iterable[Sent]) -> dict[str, str]:
    """What roles lacked for what they sent: (role, privilege) in words → the first such statement."""
    its, found = Account.set_up(), dict[str, str]()
    for sent in statements:
        for need in its.carry_out(sent):
            found.setdefault(f"{sent.role}: {need}", sent.words[:200])
    return found

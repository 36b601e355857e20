"""Kinds of statements: what is done to which tables, as whom. Two that differ in columns and values alone are of one kind."""

import re
from collections.abc import Iterator

from sqlglot import exp

from concord.batch.models import PUBLISHED, SHADOW_SUFFIX
from concord.batch.verify_models import SUFFIX
from concord.contracts.tables import TABLES
from concord.contracts.warehouse import DATABASE, JOURNAL_PREFIX, RAW
from concord.quality.failures import SCHEMA as TEST_FAILURES
from concord.standins.snowflake.statements import LEAD, rewrite
from tests.warehouse_record import Sent
from tests.warehouse_rights import COPY, RENAME, STAGE, SWAP, full_name, parsed, read, written

SHOWN = 120
"""Characters."""
PARSED = re.compile(
    rf"{LEAD}\(?(select|with|insert|update|delete|merge|create|drop|alter table)\b", re.IGNORECASE | re.DOTALL
)
DONE = re.compile(
    r"create (?:or replace )?(?:temporary )?(?:table|view|schema|database)(?: if not exists)?|drop \w+(?: if exists)?"
    r"|alter table|insert into|merge into|delete from|update",
    re.IGNORECASE,
)
ACTIONS = {exp.AlterColumn: "alter column", exp.ColumnDef: "add column", exp.Drop: "drop column"}
QUERY = re.compile(r"\b(as \(|select |with )", re.IGNORECASE)
HASH = re.compile(r"\.[0-9a-f]{10}$")
OF_TEST = re.compile(r"^(\w+?)_(?=(?:source_|stg_|int_|mart_|base_)\w)")
ROWS = re.compile(r"(values \(\{columns\}\))(,\(\{columns\}\))+")
PUBLISHED_NAMES = {dataset.name.upper() for _, dataset in PUBLISHED}
LOOSE = (
    (re.compile(r"'(?:[^'\\]|\\.|'')*'"), "?"),
    (re.compile(r'"[^"]*"'), "{name}"),
    (re.compile(r"@?spark_connector_\w+?_stage_\w+(/\w*)?/?"), "@{stage}"),
    (re.compile(r"file:\S+"), "file:{file}"),
    (re.compile(r"(?<![\w.])\d+(\.\d+)?\b"), "?"),
    (re.compile(r"\bload_\w+?_staging_-?\d+", re.IGNORECASE), "LOAD_{table}_staging"),
    (re.compile(r"\bLOAD_(?!\{|WH\b|AUDIT\b)\w+", re.IGNORECASE), "LOAD_{table}"),
    (
        re.compile(r"^grant (?!role |database )(.+?) on (.*?)\S+ to role \S+"),
        r"grant {privileges} on \2{name} to role {role}",
    ),
    (re.compile(r"^grant role \S+ to (role|user) \S+"), r"grant role {role} to \1 {name}"),
    (re.compile(r"^(create role if not exists) \S+"), r"\1 {role}"),
    (re.compile(r"^(create warehouse if not exists|alter warehouse) \S+"), r"\1 {warehouse}"),
    (re.compile(r"(modify column )\S+( set tag)"), r"\1{column}\2"),
    (re.compile(r"(alter table )\S+( modify column)"), r"\1{table}\2"),
)
"""For what the parser does not know."""


def kinds(sent: Sent) -> Iterator[str]:
    """One of the statement; of dbt's two: how it builds or tests, with the name left out, and whose query it was."""
    if sent.node is None:
        yield kind(sent)
        return
    query = QUERY.search(sent.words)
    how = sent.words[: query.start()] if query else sent.words
    if how:
        yield _short(f"{_masked_dbt(how, sent.node)}{'{query}' if query else ''}")
    if query:
        yield f"{{query}} of {named(sent.node)}"


def named(node: str) -> str:
    """Tests of one kind are one; they have a name of their own and a digest."""
    kind, _, name = node.partition(".concord.")
    name = HASH.sub("", name)
    found = OF_TEST.match(name)
    return f"{kind} {found[1] if kind == 'test' and found else name}"


def _masked_dbt(how: str, node: str) -> str:
    kind = node.partition(".")[0]
    how = re.sub(r"\([^()]*(\([^()]*\)[^()]*)*\)", "({columns})", how)
    how = re.sub(rf"\b{DATABASE}\.(\w+)\.\w+", rf"\1.{{{kind}}}", how.replace('"', ""))
    how = re.sub(r"where .* = moved\..*", "where {same key}", how)
    return ROWS.sub(r"\1", how)


def kind(sent: Sent) -> str:
    words = sent.words
    if renamed := RENAME.match(words) or SWAP.match(words):
        old, new = (family(full_name(name, sent.schema)) for name in renamed.groups())
        return f"alter table {old} {'rename to' if RENAME.match(words) else 'swap with'} {new}"
    is_parsed = PARSED.match(sent.sql) and not (COPY.match(words) or STAGE.match(words))
    if rewrite(sent.sql).is_no_operation or not is_parsed:
        return _short(_loose(words))
    tree = parsed(sent.sql)
    tables = ", ".join(sorted({family(name) for name in read(tree, sent.schema)}))
    if done := DONE.match(words):
        changed = " ".join([done[0].lower(), *map(family, written(tree, sent.schema)), *_actions(tree)])
        return f"{changed} reading {tables}" if tables else changed
    return f"select from {tables}" if tables else _short(_loose(words))


def _actions(tree: exp.Expr) -> list[str]:
    if not isinstance(tree, exp.Alter):
        return []
    return sorted({ACTIONS[type(action)] for action in tree.args["actions"]})


def _loose(words: str) -> str:
    for pattern, instead in LOOSE:
        words = pattern.sub(instead, words)
    return words


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def family(full: str) -> str:
    """The table, or the tables that it is one of; schemas as they are."""
    schema, _, name = full.rpartition(".")
    base = schema.removesuffix(SHADOW_SUFFIX).removesuffix(SUFFIX)
    if not schema:
        return name
    return f"{schema}.{_family(schema, base, name)}"


def _family(schema: str, base: str, name: str) -> str:
    if schema == RAW and name.lower() in TABLES:
        return "{table}"
    if name.startswith("LOAD_") and name != "LOAD_AUDIT":
        return "LOAD_{table}" + ("_staging" if "_STAGING_" in name else "")
    if base in dict(PUBLISHED) and name.removeprefix(JOURNAL_PREFIX.upper()) in PUBLISHED_NAMES:
        return (JOURNAL_PREFIX if name.startswith(JOURNAL_PREFIX.upper()) else "") + "{published}"
    if schema != base:
        return "{model}"
    if name.startswith("CHECKED_"):
        return "checked_{dataset}" + ("_changes" if name.endswith("_CHANGES") else "")
    return "{test}" if schema == TEST_FAILURES.upper() else name.lower()

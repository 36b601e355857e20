"""What an ``ALTER TABLE`` would do at every hop, told beforehand from the contract: nothing is asked and nothing is done."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from concord.contracts.derived import STAGING
from concord.contracts.model import Column, Dataset
from concord.dialects.dbt import STAGED_SUFFIX
from concord.evolution.engines import CLICKHOUSE, ICEBERG, SNOWFLAKE
from concord.evolution.source_types import AS_TEXT, Fit, Kind, SourceType, alters, fit, spelled
from concord.evolution.statement import (
    Action,
    Added,
    Alteration,
    Dropped,
    KeyDropped,
    Nullability,
    Renamed,
    Retyped,
    TableRenamed,
    Unsent,
)


class Verdict(StrEnum):
    FLOWS = "flows"
    DIFFERS = "differs"
    SET_ASIDE = "set aside"
    REFUSED = "refused"


class Hop(StrEnum):
    SOURCE = "PostgreSQL"
    DEBEZIUM = "Debezium"
    KAFKA = "Kafka"
    LOG = "lake change log"
    MIRROR = "lake mirror"
    RAW = "RAW"
    STAGING = "STAGING, MARTS"
    CLICKHOUSE = "ClickHouse"
    FENCE = "fence, reconciler"


STORES = {Hop.MIRROR: ICEBERG, Hop.RAW: SNOWFLAKE, Hop.STAGING: SNOWFLAKE, Hop.CLICKHOUSE: CLICKHOUSE}
CARRIED = "carried as declared"
DEPLOYED = "`concord render`, `concord up` (an account's tables: `concord warehouse setup`)"
LANDED = "the bytes as they come; its own columns stay"
WITHOUT_KEY = "refuses every update and delete of a published table without a key; records could not be told apart"
FROM_LOG = (
    "history: `concord lake rebuild`, `concord batch run --again`, `concord replay` judge the landed records again"
)


@dataclass(frozen=True)
class Said:
    verdict: Verdict
    what: str


@dataclass(frozen=True)
class Effect:
    """One part of the statement, hop by hop, and what to do about it."""

    action: str
    hops: dict[Hop, Said]
    advice: tuple[str, ...] = ()

    @property
    def is_clean(self) -> bool:
        return all(said.verdict is Verdict.FLOWS for said in self.hops.values())


def rehearse(planned: Alteration) -> list[Effect]:
    """One effect per part of the statement, in its order."""
    return [_effect(planned.table, action) for action in planned.actions]


def _effect(table: Dataset, action: Action) -> Effect:
    match action:
        case Added():
            return _added(table, action)
        case Dropped():
            return _dropped(table, action)
        case Renamed():
            return _renamed(table, action)
        case Retyped():
            return _retyped(table, action)
        case Nullability():
            return _nullability(table, action)
        case KeyDropped():
            return _refused(action, Hop.SOURCE, WITHOUT_KEY)
        case TableRenamed():
            return _table_renamed(table, action)
        case Unsent():
            return _flows(action, {Hop.SOURCE: "done", Hop.DEBEZIUM: "nothing to send"}, "no record looks different")


def _flows(action: Action, told: dict[Hop, str], otherwise: str, advice: tuple[str, ...] = ()) -> Effect:
    hops = {hop: Said(Verdict.FLOWS, told.get(hop, otherwise)) for hop in Hop}
    return Effect(str(action), hops, advice)


def _refused(action: Action, at: Hop, why: str, advice: tuple[str, ...] = ()) -> Effect:
    """What comes after the hop goes on as before."""
    effect = _flows(action, {}, "as before: nothing comes of it", advice)
    return replace(effect, hops={**effect.hops, at: Said(Verdict.REFUSED, why)})


def _but(effect: Effect, *others: tuple[Hop, Verdict, str]) -> Effect:
    return replace(effect, hops={**effect.hops, **{hop: Said(verdict, what) for hop, verdict, what in others}})


def _set_aside(effect: Effect, what: str) -> Effect:
    """Both layers set the same records aside; where one was its row's last change, the row differs from PostgreSQL's."""
    logs = ((hop, f"{what}: a dead letter each, the rest flows") for hop in (Hop.RAW, Hop.CLICKHOUSE))
    states = ((hop, "such a row stays as its last sound change left it") for hop in (Hop.MIRROR, Hop.STAGING))
    layers = ((hop, Verdict.SET_ASIDE, told) for hop, told in (*logs, *states))
    return _but(effect, *layers, (Hop.FENCE, Verdict.DIFFERS, "names each row whose last change is set aside"))


def _added(table: Dataset, action: Added) -> Effect:
    declared = table[action.column] if action.column in table.names else None
    if declared and not declared.may_be_absent:
        return _refused(action, Hop.SOURCE, f"column {action.column} is there already")
    if action.needs_value:
        why = "refused where the table has a row: not null, and no default"
        return _refused(action, Hop.SOURCE, why, (f"add {action.column} so that it may be null, or with a default",))
    return _of_declared(action, declared, action.is_filled, table) if declared else _undeclared(action)


def _undeclared(action: Added) -> Effect:
    line = f'Column("{action.column}", {spelled(action.type.declared)}, nullable=True, may_be_absent=True)'
    told = {
        Hop.SOURCE: "added" + ("; rows that are there get a value, which is not sent" if action.is_filled else ""),
        Hop.DEBEZIUM: "sends it with every later change of a row",
        Hop.KAFKA: f"one member more in each record: {action.column}",
        Hop.LOG: f"{LANDED}, so {action.column} is kept from its first record on",
        Hop.STAGING: "no model names it",
        Hop.FENCE: "compares what is declared: equal",
    }
    advice = (
        f"to carry it, declare {line}; {DEPLOYED} add it to every store by metadata",
        FROM_LOG,
    )
    return _flows(action, told, "passed over until it is declared; no row is touched", advice)


def _of_declared(action: Added, column: Column, is_filled: bool, table: Dataset) -> Effect:
    told = {
        Hop.SOURCE: "added",
        Hop.DEBEZIUM: "sends it with every later change of a row",
        Hop.KAFKA: f"one member more in each record: {column.name}",
        Hop.LOG: LANDED,
        Hop.STAGING: _published(table, column.name, f"null until a record has it, then {CARRIED}"),
        Hop.FENCE: "equal: null on both sides until a row is sent with a value",
    }
    effect = _flows(action, told, f"null until a record has it, then {CARRIED}")
    effect = _fitted(effect, table, action.type, column)
    return _unsent(effect, table, column.name, "rows that are there get a value") if is_filled else effect


def _unsent(effect: Effect, table: Dataset, column: str, what: str) -> Effect:
    """PostgreSQL rewrites rows for an ALTER TABLE without telling anybody of them."""
    advice = f"send the rows again: update {table.name} set {column} = {column}"
    differs = (Hop.FENCE, Verdict.DIFFERS, f"{what} and are not sent: each is named until it is")
    return replace(_but(effect, differs), advice=(*effect.advice, advice))


def _dropped(table: Dataset, action: Dropped) -> Effect:
    if action.column in table.key:
        return _refused(action, Hop.SOURCE, WITHOUT_KEY)
    column = table[action.column]
    told = {
        Hop.SOURCE: "dropped",
        Hop.DEBEZIUM: "sends later changes without it",
        Hop.KAFKA: f"one member less in each record: {column.name}",
        Hop.LOG: f"{LANDED}; what has landed keeps {column.name}",
        Hop.STAGING: _published(
            table,
            column.name,
            f"{column.name} is null in rows that change from now on; a model that needs it says so by its tests",
        ),
        Hop.FENCE: f"PostgreSQL has no {column.name}, and is compared without it",
    }
    effect = _flows(action, told, "old rows keep it; null in rows that change from now on")
    if column.may_be_absent:
        return effect
    return replace(
        _set_aside(effect, f"every later change but deletes: /{column.name} is missing"), advice=_first(column)
    )


def _is_published(table: Dataset, column: str) -> bool:
    """Whether the published table of the same rows has the column."""
    return column in STAGING[f"{table.name}{STAGED_SUFFIX}"].names


def _published(table: Dataset, column: str, what: str) -> str:
    if _is_published(table, column):
        return what
    return f"no published table has {column}; its contract may declare it, once a model names it"


def _first(column: Column) -> tuple[str, ...]:
    now = "may_be_absent=True" if column.nullable else "nullable=True, may_be_absent=True"
    return (
        f"first declare {column.name} {now}, and run {DEPLOYED}; then alter the table",
        FROM_LOG,
    )


def _renamed(table: Dataset, action: Renamed) -> Effect:
    """A column goes and another comes; no rename is on the wire."""
    if action.to in table.names and not table[action.to].may_be_absent:
        return _refused(action, Hop.SOURCE, f"column {action.to} is there already")
    if action.column in table.key:
        return _keyless(table, action)
    was, to = table[action.column], replace(table[action.column], name=action.to, nullable=True, may_be_absent=True)
    effect = _dropped(table, Dropped(was.name))
    told = {
        Hop.SOURCE: "renamed",
        Hop.DEBEZIUM: "sends later changes with the new name",
        Hop.KAFKA: f"{action.to} in each record, and no {action.column}",
        Hop.LOG: f"{LANDED}; what has landed keeps the old name",
    }
    effect = _but(effect, *((hop, Verdict.FLOWS, what) for hop, what in told.items()))
    return replace(effect, action=str(action), advice=(*effect.advice, *_both(table, was, to)))


def _both(table: Dataset, was: Column, to: Column) -> Iterator[str]:
    if to.name not in table.names:
        typed = spelled(to.type)
        yield f'declare Column("{to.name}", {typed}, nullable=True, may_be_absent=True) beside it, or its values stay in the lake'
    yield f"models read coalesce({to.name}, {was.name}): old rows keep the old name"


def _keyless(table: Dataset, action: Action) -> Effect:
    effect = _flows(action, {Hop.LOG: LANDED}, "done")
    return _set_aside(effect, f"every later change of {table.name}: /{', /'.join(table.key)} is missing")


def _table_renamed(table: Dataset, action: TableRenamed) -> Effect:
    why = f"captures {table.name} by its name: later changes of {action.to} are sent to nobody, and are lost to both layers"
    effect = _refused(action, Hop.DEBEZIUM, why)
    return _but(effect, (Hop.FENCE, Verdict.REFUSED, f"PostgreSQL has no table {table.name}"))


def _retyped(table: Dataset, action: Retyped) -> Effect:
    column = table[action.column]
    told = {
        Hop.SOURCE: "the table is rewritten under an exclusive lock, unless the new type has the old one's bytes",
        Hop.DEBEZIUM: f"sends changes as {action.type.kind}, unread ones too: let it catch up first, or it stops at one that does not fit",
        Hop.KAFKA: f"{column.name} as {action.type.kind}",
        Hop.LOG: LANDED,
        Hop.STAGING: _published(table, column.name, f"{CARRIED}; sums in MARTS have 38 digits"),
        Hop.FENCE: "equal",
    }
    effect = _fitted(_flows(action, told, CARRIED), table, action.type, column)
    if action.is_computed or alters(action.type, column.type):
        what = "rows that are there are computed anew" if action.is_computed else "values that do not fit are altered"
        return _unsent(effect, table, column.name, what)
    return effect


def _fitted(effect: Effect, table: Dataset, sent: SourceType, column: Column) -> Effect:
    """What does not fit the declared type is set aside; whether a store has room for a wider one is told of each."""
    degree, what = fit(sent, column.type)
    match degree:
        case Fit.ALWAYS:
            return _as_text(effect, sent) if what == AS_TEXT else effect
        case Fit.PARTLY:
            aside = _set_aside(effect, what)
        case Fit.NEVER:
            aside = _set_aside(effect, f"every change with a value ({what})")
    return replace(aside, advice=(*aside.advice, *_room(table, sent, column)))


def _as_text(effect: Effect, sent: SourceType) -> Effect:
    if sent.kind is not Kind.OTHER:
        return effect
    return _but(effect, (Hop.FENCE, Verdict.DIFFERS, f"{sent.sql} as text is not spelled the same by everybody"))


def _room(table: Dataset, sent: SourceType, column: Column) -> Iterator[str]:
    """Where the contract could follow, and where it could not. A published table's column follows the source's."""
    if sent.declared is None or sent.declared == column.type:
        yield f"nothing carries {sent.sql} as a type of its own: declare another column, TEXT, beside {column.name}"
        return
    wider, cannot = replace(column, type=sent.declared), list[str]()
    for hop, engine in STORES.items():
        if hop is Hop.STAGING and not _is_published(table, column.name):
            continue
        was, now = engine.spell(column), engine.spell(wider)
        if was != now and not engine.widens(was, now):
            cannot.append(f"{hop} ({was} to {now})")
    if cannot:
        yield f"rows would have to be rewritten in {', '.join(cannot)}: add a column of the new type beside {column.name}"
    else:
        yield f"first declare {column.name} {spelled(sent.declared)}, and run {DEPLOYED}: every store widens it by metadata"
        yield FROM_LOG


def _nullability(table: Dataset, action: Nullability) -> Effect:
    column = table[action.column]
    if action.is_nullable and column.name in table.key:
        return _refused(action, Hop.SOURCE, "a key is never null")
    rule = "done" if action.is_nullable else "refused where a row has null"
    effect = _flows(action, {Hop.SOURCE: rule, Hop.LOG: LANDED}, "no record looks different")
    if column.nullable or not action.is_nullable:
        return effect
    aside = _set_aside(effect, f"changes with a null: /{column.name} is null")
    first = f"first declare {column.name} nullable=True, and run {DEPLOYED}; then alter the table"
    return replace(aside, advice=(first, FROM_LOG))

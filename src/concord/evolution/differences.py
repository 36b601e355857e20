"""A table as a store has it and as its contract has it: the steps between them that touch no row, or a refusal."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from concord.contracts.model import Column, Dataset
from concord.errors import Misconfigured


@dataclass(frozen=True)
class Held:
    """A column as a store has it; its type in the words that :class:`Store` spells types in."""

    name: str
    type: str
    is_nullable: bool = True


@dataclass(frozen=True)
class Engine:
    """What a kind of store knows of types. ``widens``: may one type, as spelled, become another without its rows?"""

    name: str
    spell: Callable[[Column], str]
    widens: Callable[[str, str], bool]


@dataclass(frozen=True)
class Addition:
    """A new column, null in the rows that are there, behind the column ``after`` (None: the first)."""

    column: Column
    type: str
    after: str | None

    def __str__(self) -> str:
        return f"{self.column.name} added as {self.type}"


@dataclass(frozen=True)
class Widening:
    """A column whose type takes in all that the old one did; or that may be null from now on."""

    column: Column
    was: str
    type: str

    def __str__(self) -> str:
        if self.was == self.type:
            return f"{self.column.name} may be null"
        return f"{self.column.name} from {self.was} to {self.type}"


Step = Addition | Widening


def steps(engine: Engine, table: str, held: Sequence[Held], declared: Dataset) -> list[Step]:
    """In the contract's order. Raises :class:`Misconfigured` naming table, column, what it was and what it is."""
    there = {column.name: column for column in held}
    for name in sorted(there.keys() - {*declared.names}):
        raise _refusal(engine, table, name, there[name].type, "absent", "leave it in the contract, as may_be_absent")
    return list(_steps(engine, table, there, declared))


def _steps(engine: Engine, table: str, there: dict[str, Held], declared: Dataset) -> Iterator[Step]:
    before: str | None = None
    for column in declared.columns:
        its_type = engine.spell(column)
        if column.name not in there:
            if not column.nullable:
                raise _refusal(engine, table, column.name, "absent", f"{its_type}, not null", "declare it nullable")
            yield Addition(column, its_type, before)
        else:
            yield from _altered(engine, table, there[column.name], column, its_type)
        before = column.name


def _altered(engine: Engine, table: str, held: Held, column: Column, now: str) -> Iterator[Step]:
    if held.type == now and (held.is_nullable or not column.nullable):
        return
    if held.type != now and not engine.widens(held.type, now):
        hint = "add a column of the new type beside it and let models take the one that is there"
        raise _refusal(engine, table, column.name, held.type, now, hint)
    yield Widening(column, held.type, now)


def _refusal(engine: Engine, table: str, column: str, was: str, now: str, hint: str) -> Misconfigured:
    return Misconfigured(
        f"{engine.name} table {table}: column {column} was {was}, is {now} by its contract: rows would have to be rewritten",
        f"{hint}; `concord reset` starts anew",
    )

"""Columns and what they are made of. A dataset is ``store.name``: ``postgres.orders``, ``marts.daily_business_metrics``."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from concord.errors import Misconfigured

ROWS = "*"
"""Stands for a dataset's rows where a column counts them and reads no column of theirs."""
SOURCES = ("postgres", "clickstream", "files")
"""Stores in which data begin."""


@dataclass(frozen=True, order=True)
class Field:
    """A column of a dataset, or its rows."""

    dataset: str
    column: str

    def __str__(self) -> str:
        return f"{self.dataset}.{self.column}"

    @property
    def is_source(self) -> bool:
        return self.dataset.split(".", 1)[0] in SOURCES


@dataclass(frozen=True)
class Derivation:
    """How a column comes to be."""

    field: Field
    parents: tuple[Field, ...]
    step: str
    """The connector, query, job or model that makes it."""
    how: str = ""
    """The expression; empty for a plain copy."""
    reason: str = ""
    """Of a column without parents: what computes it. Empty where nobody has said so."""

    @property
    def is_computed(self) -> bool:
        """Made of no column, and declared to be so."""
        return not self.parents and bool(self.reason)


@dataclass(frozen=True)
class Graph:
    """Every derivation by its column."""

    derivations: Mapping[Field, Derivation] = field(default_factory=dict)

    @classmethod
    def of(cls, derivations: Iterable[Derivation]) -> "Graph":
        """Raises :class:`Misconfigured` for a column that two steps make."""
        found: dict[Field, Derivation] = {}
        for each in derivations:
            other = found.setdefault(each.field, each)
            if other is not each:
                raise Misconfigured(f"two steps make {each.field}: {other.step} and {each.step}")
        return cls(found)

    def __contains__(self, column: Field) -> bool:
        return column in self.derivations

    def datasets(self) -> dict[str, list[str]]:
        """Columns by dataset, in the order in which they were added; those that data begin in are last."""
        found: dict[str, list[str]] = {}
        for column in (*self.derivations, *sorted(self._begun())):
            if column.column != ROWS:
                found.setdefault(column.dataset, []).append(column.column)
        return found

    def _begun(self) -> set[Field]:
        return {parent for known in self.derivations.values() for parent in known.parents if parent.is_source}

    def upstream(self, column: Field) -> list[Derivation]:
        """The column's derivation and those of everything above it, each once."""
        found, waiting = dict[Field, Derivation](), [column]
        while waiting:
            known = self.derivations.get(waiting.pop())
            if known is not None and known.field not in found:
                found[known.field] = known
                waiting.extend(reversed(known.parents))
        return list(found.values())

    def downstream(self, column: Field) -> list[Field]:
        """Every column that is made of this one, directly or not."""
        children, found, waiting = self.children(), dict[Field, None](), [column]
        while waiting:
            fresh = [child for child in children.get(waiting.pop(), []) if child not in found]
            found.update(dict.fromkeys(fresh))
            waiting.extend(fresh)
        return sorted(found)

    def parents(self, column: Field) -> tuple[Field, ...]:
        """The columns that it is made of directly; none of a source, of what is computed and of what nobody knows."""
        known = self.derivations.get(column)
        return () if known is None else known.parents

    def children(self) -> dict[Field, list[Field]]:
        """Per column those that are made of it directly."""
        found: dict[Field, list[Field]] = {}
        for known in self.derivations.values():
            for parent in known.parents:
                found.setdefault(parent, []).append(known.field)
        return found

    def sources(self, column: Field) -> list[Field]:
        """The columns in which the column's data begin."""
        above = {parent for known in self.upstream(column) for parent in known.parents if parent.is_source}
        return sorted(above | ({column} if column.is_source else set()))

    def computed(self, column: Field) -> list[Derivation]:
        """What it is made of beside sources, and what computes that."""
        return [known for known in self.upstream(column) if known.is_computed]

    def loose_ends(self, column: Field) -> list[str]:
        """Where the column's way ends short of a source and of a declared computation; nothing if it is complete."""
        if column.is_source:
            return []
        if column not in self:
            return [str(column)]
        return [end for known in self.upstream(column) for end in self._loose(known)]

    def _loose(self, known: Derivation) -> Iterator[str]:
        yield from (str(parent) for parent in known.parents if parent not in self and not parent.is_source)
        if not known.parents and not known.reason:
            yield f"{known.field} = {known.how}"


def copies(dataset: str, parent: str, columns: Mapping[str, str], step: str) -> Iterator[Derivation]:
    """Columns taken over as they are: name here → name there. Rows are taken over, too."""
    for name, there in {**columns, ROWS: ROWS}.items():
        yield Derivation(Field(dataset, name), (Field(parent, there),), step)


def same(columns: Iterable[str]) -> dict[str, str]:
    """Columns that keep their names."""
    return {name: name for name in columns}

"""PostgreSQL: the user's row stays, because orders refer to it and the books need it; what names the person goes.

``updated_at`` stays too: the shop has changed nothing, and days to delivery are told from it.
"""

from collections.abc import Iterator

from concord.contracts.model import Column, Dataset
from concord.contracts.tables import TABLES
from concord.contracts.types import Text
from concord.erasure.outcome import Done, Found
from concord.erasure.owners import OWNER_OF, owner_column
from concord.erasure.person import Person
from concord.erasure.values import personal, stand_in
from concord.gateways.postgres import Postgres


def erase(postgres: Postgres, person: Person, apply: bool) -> Iterator[Done]:
    """Overwrite in one transaction; change capture carries it on like any other change. Then give the space back."""
    with postgres.connect() as session:
        with session.transaction():
            done = [
                session.execute(_update(table, person.user_id), _bound(table, person.user_id))
                if apply
                else session.query(
                    f"select count(*) from {name} where {_unerased(table)}", _bound(table, person.user_id)
                )[0][0]
                for name, table in _tables()
            ]
        for (name, _), count in zip(_tables(), done, strict=True):
            if apply and count:
                session.execute(
                    f"vacuum {name}"
                )  # or the old versions of the rows would lie there until it came by itself
            yield Done(f"PostgreSQL {name}", "rows overwritten", int(count))


def scan(postgres: Postgres, person: Person) -> Iterator[Found]:
    """By the classified columns, and by the person's words in any text of rows that are nobody else's."""
    for name, table in _tables():
        counted = postgres.query(f"select count(*) from {name} where {_unerased(table)}", _bound(table, person.user_id))
        yield Found(f"PostgreSQL {name}", int(counted[0][0]))
    for name, table in TABLES.items():
        yield Found(f"PostgreSQL {name}, by words", _named(postgres, table, person))


def _named(postgres: Postgres, table: Dataset, person: Person) -> int:
    texts = [column.name for column in table.columns if isinstance(column.type, Text)]
    if not texts or not person.words:
        return 0
    owner = owner_column(table.names)
    is_ours = f" and ({owner} is null or {owner} = %(user)s)" if owner else ""
    named = "exists (select from unnest(%(words)s::text[]) as word where strpos(lower(concat_ws(' ', {})), word) > 0)"
    question = f"select count(*) from {table.name} where {named.format(', '.join(texts))}{is_ours}"
    words = [word.lower() for word in person.words]
    return int(postgres.query(question, {"user": person.user_id, "words": words})[0][0])


def _tables() -> list[tuple[str, Dataset]]:
    return [(name, table) for name, table in TABLES.items() if personal(table)]


def _update(table: Dataset, user: int) -> str:
    values = ", ".join(f"{column.name} = {_erased(column)}" for column in personal(table))
    return f"update {table.name} set {values} where {_unerased(table)}"


def _erased(column: Column) -> str:
    return f"case when {column.name} is not null then %({column.name})s end"


def _unerased(table: Dataset) -> str:
    differ = " or ".join(f"{column.name} <> %({column.name})s" for column in personal(table))
    return f"{OWNER_OF[table.name]} = %(user)s and ({differ})"


def _bound(table: Dataset, user: int) -> dict[str, str | int]:
    return {"user": user, **{column.name: stand_in(user, column) for column in personal(table)}}

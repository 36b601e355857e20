"""Parts of a model's SQL, as they are looked at and shown."""

from collections.abc import Callable, Iterator

from sqlglot import exp

SHOWN = 160


def rows_of(select: exp.Expr, query: exp.Expr) -> Iterator[exp.Table]:
    """The tables whose rows ``select`` goes over, through the named steps of ``query``; of a union, one per branch.

    Rows of what is joined are not counted again: the first table says what a row is.
    """
    yield from _first_tables(select, {cte.alias.upper(): cte.this for cte in query.find_all(exp.CTE)})


def _first_tables(select: exp.Expr, steps: dict[str, exp.Expr]) -> Iterator[exp.Table]:
    if isinstance(select, exp.SetOperation):
        for branch in (select.this, select.expression):
            yield from _first_tables(branch, steps)
        return
    source = select.args.get("from_")
    if source is None:
        return
    first = source.this
    if not isinstance(first, exp.Table):
        yield from _first_tables(first.unnest(), steps)
    elif not first.db and first.name.upper() in steps:
        yield from _first_tables(steps[first.name.upper()], steps)
    else:
        yield first


def with_lookups(query: exp.Expr, is_list: Callable[[exp.Table], bool]) -> exp.Expr:
    """What is looked up in a list depends on what it is looked up by: ``size`` becomes ``iff(<on>, size, null)``."""
    for join in list(query.find_all(exp.Join)):
        listed, on, select = join.this, join.args.get("on"), join.parent
        if isinstance(listed, exp.Table) and on is not None and isinstance(select, exp.Select) and is_list(listed):
            for projection in list(select.expressions):
                _look_up(projection, listed.alias_or_name, on)
    return query


def _look_up(projection: exp.Expr, name: str, on: exp.Expr) -> None:
    for column in list(projection.find_all(exp.Column)):
        if column.table.upper() == name.upper():
            found: exp.Expr = exp.If(this=on.copy(), true=column.copy(), false=exp.null())
            column.replace(exp.alias_(found, column.name) if column is projection else found)


def is_instant(expression: exp.Expr, text: str) -> bool:
    """It is the literal ``text``, cast to an instant as the models write ``as_of``."""
    return (
        isinstance(expression, exp.Cast) and isinstance(expression.this, exp.Literal) and expression.this.this == text
    )


def as_written(expression: exp.Expr, as_of: str, dialect: str) -> str:
    """On one line, in short, and with the word ``as_of`` in the place of the instant."""
    named = expression.transform(lambda part: exp.to_identifier("as_of") if is_instant(part, as_of) else part)
    text = " ".join(named.sql(dialect).split()).lower()
    return text if len(text) <= SHOWN else f"{text[:SHOWN]} …"

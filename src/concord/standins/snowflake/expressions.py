"""What is changed in a parsed statement so that the engine computes what Snowflake computes."""

from collections.abc import Container, Mapping

from sqlglot import Expr, exp

_KEY_CONSTRAINTS = (exp.PrimaryKeyColumnConstraint, exp.UniqueColumnConstraint, exp.Reference)
_TABLE_KEYS = (exp.PrimaryKey, exp.UniqueColumnConstraint, exp.ForeignKey, exp.Constraint)
_INEXACT = (exp.Div, exp.Avg)
_CONTEXT: Mapping[type[Expr], str] = {
    exp.CurrentAccount: "account",
    exp.CurrentRole: "role",
    exp.CurrentWarehouse: "warehouse",
    exp.CurrentUser: "user",
    exp.CurrentRegion: "region",
    exp.CurrentSession: "session",
}


def adapt(expression: Expr, context: Mapping[str, str | None]) -> Expr:
    """The statement with keys declared only, division checked, and casts of quotients exact.

    ``context`` answers CURRENT_ROLE() and the like: account, role, warehouse, user, session.
    """
    if isinstance(expression, exp.Create):
        without_keys(expression)
        _copy_clone(expression)
    for function in list(expression.find_all(*_CONTEXT)):
        _answer(function, context.get(_CONTEXT[type(function)]))
    for cast in list(expression.find_all(exp.Cast)):
        _round_exactly(cast)
    for rounded in list(expression.find_all(exp.Round)):
        _round_exactly(rounded)
    for division in reversed(list(expression.find_all(exp.Div))):
        _check(division)
    return expression


def quote_reserved(expression: Expr, reserved: Container[str]) -> None:
    """Names such as ``at`` are words of the engine's own language."""
    for identifier in expression.find_all(exp.Identifier):
        if identifier.name.upper() in reserved:
            identifier.set("quoted", True)


def _answer(function: Expr, value: str | None) -> None:
    literal = exp.Null() if value is None else exp.Literal.string(value)
    is_column = isinstance(function.parent, exp.Select)
    function.replace(exp.alias_(literal, function.sql(dialect="snowflake"), quoted=True) if is_column else literal)


def without_keys(create: exp.Create) -> None:
    """Snowflake declares keys and does not enforce them; a primary key still forbids nulls."""
    schema = create.this
    if not isinstance(schema, exp.Schema):
        return
    schema.set("expressions", [part for part in schema.expressions if not isinstance(part, _TABLE_KEYS)])
    for column in schema.find_all(exp.ColumnDef):
        column.set("constraints", _kept_constraints(column))


def _copy_clone(create: exp.Create) -> None:
    """A clone of a table is a copy of its rows."""
    clone = create.args.get("clone")
    if isinstance(clone, exp.Clone) and str(create.args.get("kind")).upper() == "TABLE":
        create.set("expression", exp.select("*").from_(clone.this))
        create.set("clone", None)


def _kept_constraints(column: exp.ColumnDef) -> list[Expr]:
    constraints: list[Expr] = column.args.get("constraints") or []
    kept = [part for part in constraints if not isinstance(part.args.get("kind"), _KEY_CONSTRAINTS)]
    is_key = any(isinstance(part.args.get("kind"), exp.PrimaryKeyColumnConstraint) for part in constraints)
    is_required = any(isinstance(part.args.get("kind"), exp.NotNullColumnConstraint) for part in kept)
    if is_key and not is_required:
        kept.append(exp.ColumnConstraint(kind=exp.NotNullColumnConstraint()))
    return kept


def _round_exactly(node: exp.Cast | exp.Round) -> None:
    """A quotient is a double here. Through its shortest text it rounds half away from zero, as decimals do."""
    if not _is_inexact(node.this):
        return
    if isinstance(node, exp.Cast) and _is_decimal(node.to):
        node.set("this", _as_text(node.this))
    elif isinstance(node, exp.Round) and (scale := _scale(node)) is not None:
        node.replace(exp.cast(_as_text(node.this), f"DECIMAL(38, {scale})", dialect="duckdb"))


def _is_inexact(node: Expr | None) -> bool:
    return isinstance(node.unnest() if node else None, _INEXACT)


def _is_decimal(to: exp.DataType) -> bool:
    return to.this == exp.DataType.Type.DECIMAL and bool(to.expressions)


def _scale(node: exp.Round) -> int | None:
    decimals = node.args.get("decimals")
    is_plain = isinstance(decimals, exp.Literal) and decimals.name.isdigit()
    return int(decimals.name) if is_plain and decimals is not None else None


def _as_text(node: Expr) -> Expr:
    return exp.cast(node.copy(), exp.DataType.Type.VARCHAR, copy=False)


def _check(division: exp.Div) -> None:
    """Division by zero is an error in Snowflake; the engine would answer infinity."""
    divisor = division.expression
    if _is_safe_divisor(divisor):
        return
    zero = exp.EQ(this=exp.paren(divisor.copy()), expression=exp.Literal.number(0))
    failure = exp.cast(exp.func("error", exp.Literal.string("Division by zero")), exp.DataType.Type.DOUBLE)
    division.replace(exp.paren(exp.Case(ifs=[exp.If(this=zero, true=failure)], default=division.copy()), copy=False))


def _is_safe_divisor(divisor: Expr) -> bool:
    divisor = divisor.unnest()
    if isinstance(divisor, exp.Literal):
        return not divisor.is_string and float(divisor.name) != 0
    return isinstance(divisor, exp.Nullif)

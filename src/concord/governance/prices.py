"""The price list, from its file."""

import tomllib
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from concord.contracts.warehouse import Size
from concord.errors import Misconfigured
from concord.rules.warehouse_cost import Prices


def prices(file: Path) -> Prices:
    """Raises :class:`Misconfigured` naming the entry that is missing or wrong."""
    try:
        document = tomllib.loads(file.read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise Misconfigured(f"price list {file}: {error}") from None
    try:
        return Prices(
            as_of=_date(document["as_of"]),
            source=str(document["source"]),
            currency=str(document["currency"]),
            per_credit=_amount("per_credit", document["per_credit"]),
            credits_per_hour={size: _amount(size, document["credits_per_hour"][size]) for size in Size},
        )
    except KeyError as error:
        raise Misconfigured(f"price list {file}: {error.args[0]} is missing") from None
    except ValueError as error:
        raise Misconfigured(f"price list {file}: {error}") from None


def _date(value: Any) -> date:
    if not isinstance(value, date):
        raise ValueError(f"as_of is no date: {value!r}")
    return value


def _amount(name: str, value: Any) -> Decimal:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not (amount.is_finite() and amount > 0):
        raise ValueError(f"{name} is no amount above 0: {value!r}")
    return amount

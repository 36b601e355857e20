"""How a value looks in a JSON document, as regular expressions that every engine reads alike.

A value matches only as a whole. ECMA-262's ``$`` means just that; Python's also stands before a
last newline, so use ``fullmatch`` there.
"""

UUID_PATTERN = "^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$"

DATE_PATTERN = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"

INSTANT_PATTERN = (
    "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    "T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?"
    "(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
)
"""RFC 3339 with a zone, without leap seconds, at most microseconds. The calendar has the last word."""


def decimal_pattern(precision: int, scale: int) -> str:
    """A non-negative decimal without exponent or leading zeros that fits without rounding."""
    return f"^(0|[1-9][0-9]{{0,{precision - scale - 1}}})(\\.[0-9]{{1,{scale}}})?$"


def exact_decimal_pattern(precision: int, scale: int) -> str:
    """A decimal without exponent that fits without rounding; zeros behind the last digit do no harm."""
    return f"^-?[0-9]{{1,{precision - scale}}}(\\.[0-9]{{0,{scale}}}0*)?$"


INTEGER_PATTERN = "^-?[0-9]{1,19}$"
BOOLEAN_PATTERN = "^(true|false)$"

STORABLE_YEARS = (1900, 2299)
"""Of an instant that every store holds; ClickHouse clamps others without a word."""
STORABLE_MS = (-2_208_988_800_000, 10_413_791_999_999)
"""The same, the first and the last of them as milliseconds since the epoch."""


def integer_bounds(bits: int) -> tuple[int, int]:
    """The smallest and the largest signed integer of so many bits."""
    return -(1 << bits - 1), (1 << bits - 1) - 1

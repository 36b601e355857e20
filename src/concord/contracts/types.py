"""The closed set of logical types. A dialect says how an engine spells each of them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class LogicalType:
    """What a value means, whatever engine holds it."""


@dataclass(frozen=True)
class BigInt(LogicalType):
    """Signed, 64 bit."""


@dataclass(frozen=True)
class Integer(LogicalType):
    """Signed, 32 bit."""


@dataclass(frozen=True)
class Text(LogicalType):
    """Unicode of any length."""


@dataclass(frozen=True)
class Category(LogicalType):
    """Text with few distinct values; ``values`` closes the set where it is known."""

    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Boolean(LogicalType):
    """True or false."""


@dataclass(frozen=True)
class Decimal(LogicalType):
    """Exact number of ``precision`` digits, ``scale`` of them after the point."""

    precision: int
    scale: int


@dataclass(frozen=True)
class Instant(LogicalType):
    """A moment in UTC with milliseconds."""


@dataclass(frozen=True)
class Date(LogicalType):
    """A calendar day in UTC."""


@dataclass(frozen=True)
class Uuid(LogicalType):
    """RFC 9562 identifier; text form is lower case with hyphens."""


@dataclass(frozen=True)
class Json(LogicalType):
    """A JSON document, kept as the text it came as."""


@dataclass(frozen=True)
class Binary(LogicalType):
    """Bytes, kept as they came."""


BIGINT = BigInt()
INTEGER = Integer()
TEXT = Text()
BOOLEAN = Boolean()
INSTANT = Instant()
DATE = Date()
UUID = Uuid()
JSON = Json()
BINARY = Binary()

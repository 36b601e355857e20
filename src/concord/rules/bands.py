"""Thresholds that give things a name: price tiers, order sizes, customer tiers. dbt reads them as seeds.

A band begins where the one before it ends. Tiers are shares of the ranks, from the top.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

Bound = Decimal | None


@dataclass(frozen=True)
class Band:
    """A name for values from ``at_least`` on, below ``below``; None stands for no bound."""

    name: str
    at_least: Bound
    below: Bound

    def holds(self, value: Decimal) -> bool:
        return (self.at_least is None or value >= self.at_least) and (self.below is None or value < self.below)


@dataclass(frozen=True)
class Bands:
    """Bands that cover every value, each once. ``column`` is what dbt calls the band's name."""

    name: str
    column: str
    lowest: str
    rising: tuple[tuple[str, Decimal], ...]

    def __iter__(self) -> Iterator[Band]:
        names = (self.lowest, *(name for name, _ in self.rising))
        bounds = (None, *(bound for _, bound in self.rising), None)
        for number, name in enumerate(names):
            yield Band(name, bounds[number], bounds[number + 1])

    def of(self, value: Decimal) -> str:
        """The name of the band that holds the value."""
        return next(band.name for band in self if band.holds(value))


@dataclass(frozen=True)
class Share:
    """A name for the ranks above ``above_percent`` of all, up to and with ``upto_percent``."""

    name: str
    above_percent: int
    upto_percent: int

    def holds(self, rank: int, count: int) -> bool:
        """Whole numbers only, so that no share is ever rounded."""
        return self.above_percent * count < rank * 100 <= self.upto_percent * count


@dataclass(frozen=True)
class Shares:
    """Shares of all ranks, from the top, that add up to 100 %."""

    name: str
    column: str
    from_the_top: tuple[tuple[str, int], ...]

    def __post_init__(self) -> None:
        if sum(percent for _, percent in self.from_the_top) != 100:
            raise ValueError(f"{self.name}: shares do not add up to 100 %")

    def __iter__(self) -> Iterator[Share]:
        above = 0
        for name, percent in self.from_the_top:
            yield Share(name, above, above + percent)
            above += percent

    @property
    def lowest(self) -> str:
        return self.from_the_top[-1][0]

    def of(self, rank: int, count: int) -> str:
        """The name of the share that holds the rank, counted from 1."""
        return next(share.name for share in self if share.holds(rank, count))


PRICE_TIERS = Bands("price_tiers", "price_tier", "budget", (("mid-range", Decimal(5)), ("premium", Decimal(20))))
"""Of catalogue prices."""

ORDER_SIZES = Bands("order_sizes", "order_size_category", "small", (("medium", Decimal(100)), ("large", Decimal(500))))
"""Of order totals."""

CUSTOMER_TIERS = Shares(
    "customer_tiers", "customer_tier", (("platinum", 3), ("gold", 12), ("silver", 25), ("bronze", 60))
)
"""Of customers by what they have spent, the highest first."""

SEEDS: Sequence[Bands | Shares] = (PRICE_TIERS, ORDER_SIZES, CUSTOMER_TIERS)


def customer_tier(rank: int, customers: int, lifetime_spend: Decimal) -> str:
    """The tier of a customer at this rank of lifetime spend. Who has spent nothing is of the lowest."""
    return CUSTOMER_TIERS.lowest if lifetime_spend <= 0 else CUSTOMER_TIERS.of(rank, customers)

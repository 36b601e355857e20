"""Do lists of what is bought together show what people go on to buy, better than a list of what is bought most?

The rule is the mart's (``mart_product_recommendations``), computed here in another way: learned from the earlier
orders of a file, tried on the later ones. For every product of a later order its list is looked at; it hits at k if one
of its first k names another product of the same order.
"""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from concord.contracts.tables import OrderStatus
from concord.errors import ContractViolation
from concord.ingest.online_retail.lines import read_lines
from concord.ingest.online_retail.plan import plan
from concord.rules.customers import MAX_BASKET, MIN_ORDERS_TOGETHER, RECOMMENDATIONS

TOGETHER, POPULARITY = "bought together", "popularity"


@dataclass(frozen=True)
class Score:
    """One kind of list. ``hit_rates`` are at 1, 2, … places: of products looked at, and as the mean over orders."""

    basis: str
    hit_rates: tuple[float, ...]
    hit_rates_by_order: tuple[float, ...]


@dataclass(frozen=True)
class Evaluation:
    """What was learned from, what it was tried on, and how both kinds of lists did."""

    orders_learned: int
    orders_tried: int
    products_looked_at: int
    scores: tuple[Score, Score]

    @property
    def is_better(self) -> bool:
        """True if what is bought together beats popularity at full length, whichever way it is counted."""
        together, popularity = self.scores
        return (
            together.hit_rates[-1] > popularity.hit_rates[-1]
            and together.hit_rates_by_order[-1] > popularity.hit_rates_by_order[-1]
        )


def evaluate(path: Path, held_out_percent: int) -> Evaluation:
    """Learn from the file's first orders and try the lists on its last ones, by time."""
    return tried(baskets_of(path), held_out_percent)


def baskets_of(path: Path) -> pl.DataFrame:
    """Order and product of every line of an order that is not cancelled, once each; orders count up in time."""
    planned = plan(read_lines(path))
    bought = planned.orders.filter(pl.col("status") != str(OrderStatus.CANCELLED)).select(order="rank")
    return planned.items.select("order", "product").unique().join(bought, on="order", how="semi")


def tried(baskets: pl.DataFrame, held_out_percent: int) -> Evaluation:
    """Raises :class:`ContractViolation` if there is nothing to learn from or to try the lists on."""
    orders = baskets["order"].unique().sort()
    learned, held_out = _parted(baskets, orders, len(orders) * held_out_percent // 100)
    sized = held_out.filter(pl.len().over("order").is_between(2, MAX_BASKET))
    if learned.is_empty() or sized.is_empty():
        raise ContractViolation(f"{len(orders):,} orders: too few to learn from some and try the others")
    products = sized.select("product").unique()
    popular = popularity(learned)
    lists = {TOGETHER: recommended(learned, products), POPULARITY: filled(products, popular, NO_LISTS)}
    together, most_bought = (_score(basis, its, sized) for basis, its in lists.items())
    return Evaluation(learned["order"].n_unique(), sized["order"].n_unique(), len(sized), (together, most_bought))


def _parted(baskets: pl.DataFrame, orders: pl.Series, held_out: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    is_held_out = pl.col("order").is_in(orders.tail(held_out).implode())
    return baskets.filter(~is_held_out), baskets.filter(is_held_out)


# --- the lists ---

NO_LISTS = pl.DataFrame(schema={"product": pl.Int64(), "other": pl.Int64(), "place": pl.Int64()})


def recommended(baskets: pl.DataFrame, products: pl.DataFrame) -> pl.DataFrame:
    """``product``, ``other`` and ``place`` from 1: what is bought together more often than chance, then most of all."""
    small = baskets.filter(pl.len().over("order") <= MAX_BASKET)
    counts = small.group_by("product").agg(pl.len().cast(pl.Int64).alias("orders"))
    paired = small.join(small.rename({"product": "other"}), on="order").filter(pl.col("product") != pl.col("other"))
    pairs = paired.group_by("product", "other").agg(pl.len().cast(pl.Int64).alias("together"))
    known = pairs.join(counts, on="product").join(counts.rename({"product": "other", "orders": "others"}), on="other")
    beyond_chance = pl.col("together") * small["order"].n_unique() > pl.col("orders") * pl.col("others")
    chosen = known.filter((pl.col("together") >= MIN_ORDERS_TOGETHER) & beyond_chance)
    listed = _placed(chosen, [pl.col("together"), pl.col("other")], [True, False])
    return filled(products, popularity(small), listed)


def popularity(baskets: pl.DataFrame) -> pl.DataFrame:
    """Products with their ``place`` by the number of orders that hold them; of equals the lower number first."""
    small = baskets.filter(pl.len().over("order") <= MAX_BASKET)
    counted = small.group_by(other="product").agg(pl.len().alias("orders"))
    ordered = counted.sort("orders", "other", descending=[True, False])
    return ordered.select("other", place=pl.int_range(1, pl.len() + 1, dtype=pl.Int64)).head(2 * RECOMMENDATIONS + 1)


def filled(products: pl.DataFrame, popular: pl.DataFrame, lists: pl.DataFrame) -> pl.DataFrame:
    """The lists of these products at full length: what is bought most stands behind what they hold."""
    wanted = lists.join(products, on="product", how="semi").with_columns(stage=pl.lit(0))
    fallback = products.join(popular, how="cross").filter(pl.col("product") != pl.col("other"))
    more = fallback.join(wanted, on=["product", "other"], how="anti").with_columns(stage=pl.lit(1))
    every = pl.concat([wanted.select(*NO_LISTS.columns, "stage"), more.select(*NO_LISTS.columns, "stage")])
    return _placed(every, [pl.col("stage"), pl.col("place")], [False, False])


def _placed(rows: pl.DataFrame, by: list[pl.Expr], descending: list[bool]) -> pl.DataFrame:
    """Each product's first rows in this order, numbered."""
    ordered = rows.sort(pl.col("product"), *by, descending=[False, *descending])
    numbered = ordered.with_columns(place=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("product"))
    return numbered.filter(pl.col("place") <= RECOMMENDATIONS).select(NO_LISTS.columns)


# --- how they do ---


def _score(basis: str, lists: pl.DataFrame, held_out: pl.DataFrame) -> Score:
    named = held_out.join(lists, on="product")
    bought = named.join(held_out.rename({"product": "other"}), on=["order", "other"], how="semi")
    first = bought.group_by("order", "product").agg(pl.col("place").min())
    looked_at = held_out.join(first, on=["order", "product"], how="left")
    hits = looked_at.select(
        "order", *((pl.col("place") <= k).fill_null(False).cast(pl.Float64).alias(f"at {k}") for k in PLACES)
    )
    rates = hits.select(pl.exclude("order").mean()).row(0)
    by_order = hits.group_by("order").mean().select(pl.exclude("order").mean()).row(0)
    return Score(basis, rates, by_order)


PLACES = range(1, RECOMMENDATIONS + 1)

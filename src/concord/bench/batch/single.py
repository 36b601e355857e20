"""The same figures by DuckDB alone: current tables, staging and marts from the change logs' files, in one process.

It is both what a run is checked against and what it costs without Kafka, lake, Spark and warehouse. Its SQL is its
own; thresholds come from ``concord.rules``, the declaration that everybody shares.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path

import duckdb

from concord.bench.batch.files import Paths, reading
from concord.bench.batch.own_process import Spent, apart
from concord.contracts.model import Dataset
from concord.contracts.tables import ORDERS, PRODUCTS, TABLES, TOAST_PLACEHOLDER, USERS
from concord.rules import customers as rules
from concord.rules.bands import CUSTOMER_TIERS, ORDER_SIZES, PRICE_TIERS, Bands
from concord.rules.data_quality import EMAIL

MEMORY_LIMIT = "8GB"
"""Of DuckDB; it goes to disk beyond."""
MODELS = (
    "users_enhanced", "products_enhanced", "orders_enhanced", "order_items_enhanced", "daily_business_metrics",
    "customer_tier_analytics", "product_performance", "customer_analytics", "monthly_kpis", "monthly_cohorts",
    "product_recommendations", "user_history", "product_history",
)  # fmt: skip
"""Published tables that are made of the shop's rows, in the order in which they are computed."""

MACROS = """
create macro is_filled(given) as coalesce(trim(given), '') <> '';
create macro cents(amount) as (amount::decimal(30, 2) * 100::decimal(3, 0))::hugeint;
create macro ratio(n, d) as if(
    d = 0,
    null,
    ((sign(n) * ((abs(n)::hugeint * 20000 + d) // (2 * d)))::decimal(22, 0) * 0.0001::decimal(4, 4))::decimal(18, 4)
);
create macro band(of_kind, amount) as (
    select name from bands
    where kind = of_kind and amount >= coalesce(at_least, amount) and (below is null or amount < below)
);
create macro lowest_tier() as getvariable('lowest_tier');
create macro tier(place, customers, spent) as if(
    spent <= 0,
    getvariable('lowest_tier'),
    (select name from tiers where place * 100 > customers * above and place * 100 <= customers * upto)
);
"""


@dataclass(frozen=True)
class Computed:
    """What it took, and the DuckDB file with every table."""

    file: Path
    spent: Spent


def compute(paths: Paths, as_of: datetime, file: Path) -> Computed:
    """Everything anew, in a process of its own."""
    file.unlink(missing_ok=True)
    return Computed(file, apart("DuckDB alone", _work, paths, as_of, file))


def _work(paths: Paths, as_of: datetime, file: Path) -> None:
    with connected(file) as duck:
        for statement in statements(paths, as_of):
            duck.execute(statement)


def connected(file: Path) -> duckdb.DuckDBPyConnection:
    """Instants are UTC, and what does not fit goes to disk beside the file."""
    duck = duckdb.connect(str(file))
    duck.execute("set TimeZone = 'UTC'")
    duck.execute(f"set memory_limit = '{MEMORY_LIMIT}'")
    duck.execute("set preserve_insertion_order = false")
    return duck


def statements(paths: Paths, as_of: datetime) -> Iterator[str]:
    """Thresholds, current tables, models."""
    yield from _declared(as_of)
    yield MACROS
    for name, table in TABLES.items():
        yield f"create table {name} as {current(table, paths[name])}"
    for table in (ORDERS, PRODUCTS, USERS):
        yield f"create view {table.name}_log as select * from {reading(paths[table.name])}"
    yield "create table purchases as select *, created_at::date as date from orders where status <> 'cancelled'"
    yield (
        "create table sales as select lines.*, purchases.date, purchases.user_id "
        "from order_items as lines inner join purchases on lines.order_id = purchases.id"
    )
    for name in MODELS:
        yield f"create table {name} as {files('concord.bench.batch').joinpath(f'sql/{name}.sql').read_text()}"


def current(table: Dataset, paths: Sequence[Path]) -> str:
    """One row per key: its last change, with the value last sent where that one left it out; without deleted ones."""
    plain = [name for name in table.names if name not in (*table.key, *table.toastable)]
    stamps = ("__op", "_partition", "_offset")
    packed = ", ".join(f"{name} := {name}" for name in (*plain, *stamps))
    sent = (
        f"arg_max(struct_pack(v := {name}), _offset) filter "
        f"(__op <> 'd' and {name} is distinct from '{TOAST_PLACEHOLDER}').v as {name}"
        for name in table.toastable
    )
    aggregates = ", ".join([f"arg_max(struct_pack({packed}), _offset) as last", *sent])
    columns = ", ".join(name if name in (*table.key, *table.toastable) else f"last.{name}" for name in table.names)
    return (
        f"select {columns}, last.__op, last._partition, last._offset "
        f"from (select id, {aggregates} from {reading(paths)} group by id) where last.__op <> 'd'"
    )


def _declared(as_of: datetime) -> Iterator[str]:
    """The thresholds of the rules as variables and tables."""
    numbers = {
        "popular_share": rules.POPULAR_SHARE,
        "top_performer_share": rules.TOP_PERFORMER_SHARE,
        "demand_days": rules.DEMAND_DAYS,
        "active_days": rules.ACTIVE_DAYS,
        "at_risk_days": rules.AT_RISK_DAYS,
        "ltv_days": rules.LTV_DAYS,
        "ltv_minimum_days": rules.LTV_MINIMUM_DAYS,
        "max_basket": rules.MAX_BASKET,
        "min_orders_together": rules.MIN_ORDERS_TOGETHER,
        "recommendations": rules.RECOMMENDATIONS,
    }
    words = {
        "email_pattern": EMAIL.strip("^$"),
        "lowest_tier": CUSTOMER_TIERS.lowest,
        "placeholder": TOAST_PLACEHOLDER,
    }
    yield from (f"set variable {name} = {value}" for name, value in numbers.items())
    yield from (f"set variable {name} = '{value}'" for name, value in words.items())
    yield f"set variable as_of = timestamptz '{as_of.isoformat()}'"
    tiers = ", ".join(f"('{each.name}', {each.above_percent}, {each.upto_percent})" for each in CUSTOMER_TIERS)
    yield f"create table tiers as from (values {tiers}) as t(name, above, upto)"
    bands = ", ".join([*_bands(PRICE_TIERS), *_bands(ORDER_SIZES)])
    yield f"create table bands as from (values {bands}) as t(kind, name, at_least, below)"


def _bands(bands: Bands) -> Iterator[str]:
    for each in bands:
        bounds = (f"{'null' if bound is None else bound}::decimal(12, 2)" for bound in (each.at_least, each.below))
        yield f"('{bands.name}', '{each.name}', {', '.join(bounds)})"

"""A column's lineage as it is drawn."""

from rich.console import Console

from concord.cli.lineage_tree import tree
from concord.lineage.graph import Derivation, Field, Graph

REVENUE, SHARE = Field("marts.daily", "revenue"), Field("marts.daily", "share")
TOTAL, SOURCE = Field("raw.orders", "total"), Field("postgres.orders", "total")
KNOWN = Graph.of(
    [
        Derivation(SHARE, (REVENUE, TOTAL), "mart_daily", "revenue / total[1]"),
        Derivation(REVENUE, (TOTAL, Field("raw.orders", "lost")), "mart_daily", "sum(total)"),
        Derivation(TOTAL, (SOURCE,), "load"),
    ]
)


def drawn(root: Field, is_downstream: bool = False) -> list[str]:
    console = Console(width=200)
    with console.capture() as text:
        console.print(tree(KNOWN, root, is_downstream), highlight=False)
    return [line.rstrip() for line in text.get().splitlines()]


def test_a_column_is_drawn_down_to_its_source_and_nothing_twice() -> None:
    assert drawn(SHARE) == [
        "marts.daily.share = revenue / total[1] mart_daily",
        "├── marts.daily.revenue = sum(total) mart_daily",
        "│   ├── raw.orders.total load",
        "│   │   └── postgres.orders.total",
        "│   └── raw.orders.lost unknown",
        "└── raw.orders.total see above",
    ]


def test_a_source_is_drawn_down_to_everything_made_of_it() -> None:
    assert drawn(SOURCE, is_downstream=True) == [
        "postgres.orders.total",
        "└── raw.orders.total load",
        "    ├── marts.daily.revenue = sum(total) mart_daily",
        "    │   └── marts.daily.share = revenue / total[1] mart_daily",
        "    └── marts.daily.share see above",
    ]

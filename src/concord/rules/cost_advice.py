"""What would make the warehouse or the lake cheaper, each with what speaks for it. Nothing known, nothing advised."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from concord.contracts.warehouse import Size
from concord.rules.warehouse_cost import Bill, Statement, seconds

IDLE_SHARE = Decimal("0.5")
QUICK_SECONDS = 2
QUICK_PERCENT = 95
FEW_STATEMENTS = 20
SCANNED_SHARE = Decimal("0.9")
MANY_PARTITIONS = 100
SMALL_FILE_BYTES = 32 << 20
MANY_FILES = 8


@dataclass(frozen=True)
class Advice:
    """``saves`` in credits over the period looked at, where that can be said."""

    about: str
    do: str
    evidence: str
    saves: Decimal | None = None


def on_idle_time(now: Bill, sooner: Bill) -> Iterator[Advice]:
    """``sooner`` is the same work with an earlier stop."""
    saved = now.credits - sooner.credits
    if now.idle_share >= IDLE_SHARE and saved > 0:
        yield Advice(
            now.warehouse,
            f"stop after {sooner.suspend.seconds} s without a statement instead of {now.suspend.seconds}",
            f"{now.idle_share:.0%} of {seconds(now.billed):,.0f} s paid for were idle, over {now.starts} starts",
            saved,
        )


def on_size(bill: Bill, statements: Sequence[Statement]) -> Iterator[Advice]:
    """A smaller one takes half the credits for the same time; work that is quick anyway does not notice."""
    took = sorted(seconds(statement.took) for statement in statements)
    if bill.size is Size.XSMALL or len(took) < FEW_STATEMENTS or any(each.spilled_bytes for each in statements):
        return
    usual, longest = took[len(took) * QUICK_PERCENT // 100], took[-1]
    if usual <= QUICK_SECONDS:
        smaller = list(Size)[list(Size).index(bill.size) - 1]
        yield Advice(
            bill.warehouse,
            f"try {smaller} instead of {bill.size}",
            f"{QUICK_PERCENT} % of {len(took):,} statements took at most {usual:.1f} s, the longest {longest:.1f} s, none spilled",
            bill.credits / 2,
        )


def on_scans(warehouse: str, statements: Sequence[Statement]) -> Iterator[Advice]:
    """Reads that the clustering keys did not help."""
    whole = [each for each in statements if _reads_all(each)]
    if whole:
        took = sum(seconds(each.took) for each in whole)
        yield Advice(
            warehouse,
            "filter by the tables' clustering keys",
            f"{len(whole):,} statements, {took:,.0f} s, read {SCANNED_SHARE:.0%} or more of their micro-partitions",
        )


def knows_partitions(statements: Sequence[Statement]) -> bool:
    return any(each.partitions_total is not None for each in statements)


def _reads_all(statement: Statement) -> bool:
    total, scanned = statement.partitions_total or 0, statement.partitions_scanned or 0
    return total >= MANY_PARTITIONS and scanned >= SCANNED_SHARE * total


def on_files(table: str, files: int, mean_bytes: int) -> Iterator[Advice]:
    """A table of the lake whose files are small costs a request and a plan entry for each."""
    if files >= MANY_FILES and mean_bytes < SMALL_FILE_BYTES:
        yield Advice(
            f"lake {table}",
            f"concord lake compact {table}",
            f"{files:,} files of {mean_bytes / 1024:,.0f} KiB on average; 128 MiB is the target",
        )

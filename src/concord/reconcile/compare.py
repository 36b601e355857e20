"""Two sets of rows in canonical form, compared by key: every row that differs is named."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import polars as pl


class Kind(StrEnum):
    MISSING = "missing"
    """The left side has the row, the right side does not."""
    EXTRA = "extra"
    """The right side has a row that the left side does not."""
    ALTERED = "altered"
    """Both have the row, and its values differ."""


@dataclass(frozen=True)
class Difference:
    """One row that differs. ``values`` holds, per column at fault, the left and the right value."""

    key: tuple[Any, ...]
    kind: Kind
    values: dict[str, tuple[Any, Any]]


@dataclass(frozen=True)
class Comparison:
    """The verdict over one dataset between two sides, e.g. ``speed`` and ``batch``.

    ``set_aside`` are rows that were not compared, because the sides were not to make them of the same facts.
    """

    dataset: str
    left: str
    right: str
    left_rows: int
    right_rows: int
    left_digest: str
    right_digest: str
    differences: tuple[Difference, ...]
    set_aside: int = 0

    @property
    def agrees(self) -> bool:
        return not self.differences and self.left_digest == self.right_digest


def digest(rows: pl.DataFrame, key: Sequence[str]) -> str:
    """SHA-256 over the rows in order of their key: two equal sets of rows have equal digests."""
    return hashlib.sha256(rows.sort(key).write_csv(null_value="\\N").encode()).hexdigest()


def compare(
    dataset: str, key: Sequence[str], left: tuple[str, pl.DataFrame], right: tuple[str, pl.DataFrame]
) -> Comparison:
    """Compare by ``key`` over the columns that both sides have; each side is (name, rows)."""
    columns = [name for name in left[1].columns if name in right[1].columns]
    left_rows, right_rows = left[1].select(columns), right[1].select(columns)
    return Comparison(
        dataset=dataset,
        left=left[0],
        right=right[0],
        left_rows=left_rows.height,
        right_rows=right_rows.height,
        left_digest=digest(left_rows, key),
        right_digest=digest(right_rows, key),
        differences=tuple(_differences(left_rows, right_rows, key)),
    )


def _differences(left: pl.DataFrame, right: pl.DataFrame, key: Sequence[str]) -> Iterator[Difference]:
    """Rows are matched by key and, among copies of a key, by their order; a copy too many is a difference."""
    values = [name for name in left.columns if name not in key]
    numbered = [*key, "_copy"]
    joined = _numbered(left, key).join(
        _numbered(right, key), on=numbered, how="full", suffix="__right", coalesce=True, nulls_equal=True
    )
    unequal = pl.any_horizontal(
        pl.col("_side").is_null(),
        pl.col("_side__right").is_null(),
        *(pl.col(name).ne_missing(pl.col(f"{name}__right")) for name in values),
    )
    for row in joined.filter(unequal).sort(key).iter_rows(named=True):
        yield _difference(row, key, values)


def _numbered(rows: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    ordered = rows.sort(rows.columns)
    return ordered.with_columns(pl.int_range(pl.len()).over(list(key)).alias("_copy"), pl.lit(True).alias("_side"))


def _difference(row: dict[str, Any], key: Sequence[str], values: Sequence[str]) -> Difference:
    pairs = {name: (row[name], row[f"{name}__right"]) for name in values}
    return Difference(
        key=tuple(row[name] for name in key),
        kind=_kind(row),
        values={name: pair for name, pair in pairs.items() if pair[0] != pair[1]},
    )


def _kind(row: dict[str, Any]) -> Kind:
    if row["_side__right"] is None:
        return Kind.MISSING
    return Kind.EXTRA if row["_side"] is None else Kind.ALTERED

"""How far sessions went with each product category."""

from collections.abc import Sequence

import numpy as np
import orjson
import polars as pl

from concord.speed.sessions.chain import NEVER, depth, first_after
from concord.speed.sessions.rows import STEPS, STEPS_TYPE, Flags, Numbers
from concord.speed.sessions.segment import Runs

PAIR = ["run", "product_category"]
"""Number of a session's run, and category."""

NO_STEPS = "{}"


def category_steps(events: pl.DataFrame, sessions: Runs, steps: Sequence[Numbers], known: pl.Series) -> pl.DataFrame:
    """Columns ``run``, ``steps`` and ``category_steps`` of the sessions with funnel events and any category.

    ``steps`` holds the rows of each funnel step's type. ``known`` has the category steps from before the
    runs for as many of them as continue a session; these come first.
    """
    run_of = _run_of_row(sessions)
    is_moving = np.zeros(len(sessions.starts), dtype=bool)
    is_moving[run_of[np.concatenate(steps)]] = True
    views, carts = (_of_category(events, run_of, rows) for rows in steps[:2])
    pairs = _pairs(views, _from_before(known, is_moving, sessions.starts))
    reached = _reached(pairs, carts, sessions, steps)
    return _by_run(pairs.with_columns(step=pl.Series(depth(reached), dtype=pl.Int8)))


def steps_of_document(documents: pl.Series) -> pl.Series:
    """What ``category_steps`` says, as lists. Few documents differ: of millions of sessions each is read once."""
    different = documents.unique()
    steps = pl.Series(STEPS, [_steps(document) for document in different], dtype=STEPS_TYPE)
    known = pl.DataFrame({"document": different, STEPS: steps})
    return documents.to_frame("document").join(known, on="document", how="left", maintain_order="left")[STEPS]


def _steps(document: str) -> list[dict[str, object]]:
    return [{"product_category": name, "step": step} for name, step in sorted(orjson.loads(document).items())]


def _run_of_row(sessions: Runs) -> Numbers:
    order = np.argsort(sessions.starts)
    return np.repeat(order, (sessions.ends - sessions.starts)[order])


def _of_category(events: pl.DataFrame, run_of: Numbers, rows: Numbers) -> pl.DataFrame:
    """Rows that name a category, in order."""
    named = pl.DataFrame(
        {"run": run_of[rows], "product_category": events["product_category"].gather(rows), "row": rows}
    )
    return named.filter(pl.col("product_category").is_not_null())


def _from_before(known: pl.Series, is_moving: Flags, starts: Numbers) -> pl.DataFrame:
    """Pairs known before: whatever they reached counts as reached on the row before the run's first."""
    held = pl.DataFrame({"run": np.arange(len(known)), STEPS: known, "row": starts[: len(known)] - 1})
    return held.filter(is_moving[: len(known)] & (known.list.len() > 0).to_numpy()).explode(STEPS).unnest(STEPS)


def _pairs(views: pl.DataFrame, from_before: pl.DataFrame) -> pl.DataFrame:
    """Every category viewed in a session: the ``row`` of its first view, the ``step`` reached before the run."""
    new = views.with_columns(step=pl.lit(0, pl.Int8))
    both = pl.concat([new, from_before.select(new.columns)])
    return both.group_by(PAIR).agg(pl.col("row").min(), pl.col("step").max()).sort(PAIR)


def _reached(pairs: pl.DataFrame, carts: pl.DataFrame, sessions: Runs, steps: Sequence[Numbers]) -> list[Numbers]:
    run, known, viewed = (pairs[name].to_numpy() for name in ("run", "step", "row"))
    before, until = sessions.starts[run] - 1, sessions.ends[run]
    carted = np.where(known >= 2, before, _first_cart(pairs, carts))
    checked_out = np.where(known >= 3, before, first_after(steps[2], carted, until))
    purchased = np.where(known >= 4, before, first_after(steps[3], checked_out, until))
    return [viewed, carted, checked_out, purchased]


def _first_cart(pairs: pl.DataFrame, carts: pl.DataFrame) -> Numbers:
    """Row of the pair's first ADD_TO_CART behind its view."""
    numbered = pairs.select(*PAIR, pl.col("row").alias("viewed")).with_row_index("pair")
    behind = carts.join(numbered, on=PAIR, maintain_order="left").filter(pl.col("row") > pl.col("viewed"))
    first = np.full(len(pairs), NEVER)
    first[behind["pair"].to_numpy()[::-1]] = behind["row"].to_numpy()[::-1]
    return first


def _by_run(pairs: pl.DataFrame) -> pl.DataFrame:
    names = pairs["product_category"].unique()
    keys = names.map_elements(lambda name: orjson.dumps(name).decode(), return_dtype=pl.String)
    member = (
        pl.col("product_category").replace_strict(names, keys, return_dtype=pl.String)
        + ":"
        + pl.col("step").cast(pl.String)
    )
    return pairs.group_by("run", maintain_order=True).agg(
        pl.struct("product_category", "step").alias(STEPS), ("{" + member.str.join(",") + "}").alias("category_steps")
    )

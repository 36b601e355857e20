"""The batch layer's part of the page of results."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from concord.bench.batch.targets import targets
from concord.bench.tables import markdown_table
from concord.bench.targets import of_valid, table

GIB = 1 << 30
EXACT_BELOW = 9.5
"""Factors below it are told to a tenth."""
WHEN_SPARK_PAYS = (
    "Spark, Iceberg and the warehouse pay where one machine ends: when the history of the changes or a day's joins are "
    "larger than its memory and disk, when several jobs write the same tables at once and readers must see old or new "
    "and never half, when a batch must be told from the next one by position and be rolled back. Below that, and on "
    "one machine as here, DuckDB over files is the cheaper way to the same rows."
)
WAREHOUSE_IS_DUCKDB = (
    "The models' seconds are those of the stand-in, which is DuckDB too: what the batch takes longer is Java's start, "
    "the lake, the way into the warehouse, dbt's own time, the tests and the exchange of what readers see."
)
PEER_IS_TRANSLATED = (
    "Its SQL is the project's, compiled as a full build and translated to DuckDB's, so its rows are held against the "
    "published ones; that and dbt's parsing are done once and not counted. What it leaves out: the lake, positions, "
    "several writers, building only what changed, and showing readers old or new."
)

Document = Mapping[str, Any]
Cells = tuple[str, ...]


def lines(document: Document) -> Iterator[str]:
    """Tables of the steps, against what is wanted and against DuckDB alone."""
    result = document["result"]
    yield f"{result['lines']:,} order lines, {result['changes']:,} changes in all.\n"
    yield from table("figure", of_valid(document, targets(result["steps"])))
    yield from markdown_table(("step", "", "s", "CPU s", "peak GiB"), [*_steps(result["steps"])])
    if single := result["single_machine"]:
        yield from _alone(result["steps"], single, result.get("same_models", {}))


def _steps(steps: Document) -> Iterator[Cells]:
    for name, figures in steps.items():
        took = f"{figures['seconds']:,.1f}", f"{sum(figures['cpu_seconds'].values()):,.1f}"
        yield name, TOLD[name](figures), *took, f"{figures['peak_bytes'] / GIB:.1f}"
        for part, seconds in figures.get("seconds_by_step", {}).items():
            yield "", part, f"{seconds:,.1f}", "", ""


TOLD: Mapping[str, Callable[[Document], str]] = {
    "sink": lambda it: f"{it['rows']:,} changes of four tables; {it['rows_per_second']:,.0f}/s with the sinks' start",
    "batch": lambda it: (
        f"{it['rows']:,} changes, lake to marts; connector {it['connector_rows_per_second']:,.0f} rows/s"
    ),
    "day": lambda it: f"{it['rows']:,} changes of one day, lake to marts; {it['models']} models",
    "merge": lambda it: f"{it['changed']:,} changed keys into a mirror of {it['rows']:,} rows",
    "compaction": lambda it: (
        f"{it['files_before']:,} files to {it['files_after']:,}, {it['bytes_before'] / 1e6:,.1f} MB: "
        f"{it['mb_per_second']:,.1f} MB/s"
    ),
}
"""One step in a sentence."""


def _alone(steps: Document, single: Document, peers: Document) -> Iterator[str]:
    yield "The same rows by DuckDB alone, from Parquet files, in one process and anew each time:\n"
    others = {"alone": single, **peers}
    figures = [f"{way} {unit}" for unit in ("s", "CPU s", "GiB") for way in ("batch", *others)]
    columns = ("step", *figures, "times as long", *(f"as long as {peer}" for peer in peers))
    rows = [_beside(name, steps[name], [each[name] for each in others.values()]) for name in single]
    yield from markdown_table(columns, rows)
    yield from (f"{of_peer(name, each)}\n" for name, each in peers.items())
    yield f"{sentence(single)} {WAREHOUSE_IS_DUCKDB} {WHEN_SPARK_PAYS}\n"


def _beside(name: str, batch: Document, others: Sequence[Document]) -> Cells:
    cpu = sum(batch["cpu_seconds"].values())
    return (
        name,
        *(f"{value:,.1f}" for value in (batch["seconds"], *(each["seconds"] for each in others))),
        *(f"{value:,.1f}" for value in (cpu, *(each["cpu_seconds"] for each in others))),
        *(f"{each['peak_bytes'] / GIB:.1f}" for each in (batch, *others)),
        *(_times(each["times_as_long"]) for each in others),
    )


def of_peer(name: str, steps: Document) -> str:
    """What it does, and what the batch costs beside it."""
    last = [*steps.values()][-1]
    return (
        f"{name} builds the same models from the same files and tests them, anew each time ({last['models']} models "
        f"and seeds, {last['tests_passed']} tests passed): {_dearer(steps)}. {PEER_IS_TRANSLATED}"
    )


def sentence(single: Document) -> str:
    """What it costs, openly."""
    return f"Here Spark costs more: {_dearer(single)}."


def _dearer(other: Document) -> str:
    return ", ".join(
        f"the {name} took {_times(each['times_as_long'])} times as long and {_times(each['times_the_cpu'])} times the CPU"
        for name, each in other.items()
    )


def _times(factor: float) -> str:
    return f"{factor:,.0f}" if factor >= EXACT_BELOW else f"{factor:,.1f}"

"""The batch layer's part of the page of results."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from concord.bench.batch.targets import targets
from concord.bench.tables import markdown_table
from concord.bench.targets import of_valid, table

GIB = 1 << 30
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

Document = Mapping[str, Any]
Cells = tuple[str, ...]


def lines(document: Document) -> Iterator[str]:
    """Tables of the steps, against what is wanted and against DuckDB alone."""
    result = document["result"]
    yield f"{result['lines']:,} order lines, {result['changes']:,} changes in all.\n"
    yield from table("figure", of_valid(document, targets(result["steps"])))
    yield from markdown_table(("step", "", "s", "CPU s", "peak GiB"), [*_steps(result["steps"])])
    if single := result["single_machine"]:
        yield from _alone(result["steps"], single)


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


def _alone(steps: Document, single: Document) -> Iterator[str]:
    yield "The same rows by DuckDB alone, from Parquet files, in one process and anew each time:\n"
    columns = ("step", "batch s", "alone s", "batch CPU s", "alone CPU s", "batch GiB", "alone GiB", "times as long")
    yield from markdown_table(columns, [_beside(name, steps[name], alone) for name, alone in single.items()])
    yield f"{sentence(single)} {WAREHOUSE_IS_DUCKDB} {WHEN_SPARK_PAYS}\n"


def _beside(name: str, batch: Document, alone: Document) -> Cells:
    cpu = sum(batch["cpu_seconds"].values())
    return (
        name,
        *(f"{value:,.1f}" for value in (batch["seconds"], alone["seconds"], cpu, alone["cpu_seconds"])),
        *(f"{value / GIB:.1f}" for value in (batch["peak_bytes"], alone["peak_bytes"])),
        f"{alone['times_as_long']:,.0f}",
    )


def sentence(single: Document) -> str:
    """What it costs, openly."""
    parts = (
        f"the {name} took {alone['times_as_long']:,.0f} times as long and {alone['times_the_cpu']:,.0f} times the CPU"
        for name, alone in single.items()
    )
    return f"Here Spark costs more: {', '.join(parts)}."

"""``concord lineage``: which columns a column is made of, back to the shop, and which are made of it."""

from collections.abc import Iterable
from dataclasses import replace
from difflib import get_close_matches
from typing import Annotated

import typer

from concord import provision
from concord.batch.build import as_literal
from concord.batch.compiled import AS_OF, compiled
from concord.batch.models import SHADOW_SUFFIX
from concord.cli.batch import dbt
from concord.cli.lineage_tree import tree
from concord.cli.openlineage import tell
from concord.cli.output import AsJson, console, errors, print_json, table
from concord.errors import ContractViolation
from concord.lineage.document import Document, column_document, dataset_document
from concord.lineage.graph import ROWS, Field, Graph
from concord.lineage.models import Models
from concord.lineage.whole import graph
from concord.settings import Settings, load_settings

What = Annotated[
    str | None,
    typer.Argument(
        metavar="[DATASET[.COLUMN]]",
        help="marts.daily_business_metrics.total_revenue, or a dataset for all its columns; left out: the datasets.",
    ),
]
Downstream = Annotated[
    bool, typer.Option("--downstream", help="What is made of the column, in the place of its origin.")
]

AsEvents = Annotated[
    bool, typer.Option("--openlineage", help="Every job, and the runs of the newest batch, as OpenLineage events.")
]
Send = Annotated[bool, typer.Option("--send", help="Send the events to where OPENLINEAGE_URL or its file says.")]


def lineage(
    what: What = None,
    downstream: Downstream = False,
    openlineage: AsEvents = False,
    send: Send = False,
    as_json: AsJson = False,
) -> None:
    """Which columns a column is made of, step by step back to the shop. Exit 3 if its way gets lost."""
    if (send and not openlineage) or (openlineage and what):
        raise typer.BadParameter("--openlineage tells everything, and --send goes with it", param_hint="--openlineage")
    settings = load_settings()
    known = lineage_graph(settings)
    if openlineage:
        tell(settings, known, send)
    elif what is None:
        _list(known, as_json)
    elif what.lower() in known.datasets():
        _dataset(known, what.lower(), as_json)
    else:
        _column(known, _found(known, what.lower()), downstream, as_json)


def lineage_graph(settings: Settings) -> Graph:
    """Of everything that runs. Compiles the models if their text has changed since."""
    tool = dbt(settings)
    with errors.status("read the models"):
        manifest = compiled(replace(tool, folder=tool.folder.with_name("lineage")))
    return graph(provision.connectors(), Models(manifest, SHADOW_SUFFIX, as_literal(AS_OF)))


def _found(known: Graph, what: str) -> Field:
    """Raises what the user has to be told if there is no such dataset or column."""
    datasets = known.datasets()
    dataset, _, column = what.rpartition(".")
    if column in (*datasets.get(dataset, ()), *([ROWS] if dataset in datasets else [])):
        return Field(dataset, column)
    if dataset in datasets:
        raise _unknown(f"{dataset} has no column {column!r}", column, datasets[dataset])
    raise _unknown(f"there is no dataset {what!r}", what, datasets)


def _unknown(problem: str, word: str, names: Iterable[str]) -> typer.BadParameter:
    near = get_close_matches(word, list(names), n=1)
    hint = f"did you mean {near[0]}?" if near else "`concord lineage` lists the datasets"
    return typer.BadParameter(f"{problem}; {hint}", param_hint="DATASET.COLUMN")


def _list(known: Graph, as_json: bool) -> None:
    found = known.datasets()
    if as_json:
        print_json(found)
    else:
        console.print(table("Datasets", ["dataset", "columns"], [(name, len(found[name])) for name in found]))


def _dataset(known: Graph, dataset: str, as_json: bool) -> None:
    document = dataset_document(known, dataset)
    if as_json:
        print_json(document)
    else:
        rows = [(one["column"].removeprefix(f"{dataset}."), *_origin(one)) for one in document["columns"]]
        console.print(table(dataset, ["column", "comes from", "and from what is computed"], rows))
    _refuse_loose([end for one in document["columns"] for end in one["unresolved"]])


def _origin(one: Document) -> tuple[str | None, str | None]:
    computed = dict.fromkeys(end["by"] for end in one["computed"])
    return "\n".join(one["sources"]) or None, "\n".join(computed) or None


def _column(known: Graph, column: Field, downstream: bool, as_json: bool) -> None:
    if as_json:
        print_json(column_document(known, column))
    else:
        console.print(tree(known, column, downstream), highlight=False)
    _refuse_loose(known.loose_ends(column))


def _refuse_loose(ends: list[str]) -> None:
    if ends:
        named = ", ".join(dict.fromkeys(ends))
        hint = "docs/howto/trace-and-lineage.md says how a column is declared to be computed"
        raise ContractViolation(f"neither a source nor declared to be computed: {named}", hint)

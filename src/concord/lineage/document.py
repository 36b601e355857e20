"""A column's lineage in JSON's types."""

from typing import Any

from concord.lineage.graph import Derivation, Field, Graph

Document = dict[str, Any]


def column_document(graph: Graph, column: Field) -> Document:
    """Where the column comes from, step by step, where that begins, and what is made of the column."""
    return {
        "column": str(column),
        "sources": [str(source) for source in graph.sources(column)],
        "computed": [{"column": str(known.field), "by": known.reason} for known in graph.computed(column)],
        "unresolved": graph.loose_ends(column),
        "upstream": [_derivation(known) for known in graph.upstream(column)],
        "downstream": [str(field) for field in graph.downstream(column)],
    }


def dataset_document(graph: Graph, dataset: str) -> Document:
    """The same of every column of a dataset, without the steps."""
    columns = [column_document(graph, Field(dataset, column)) for column in graph.datasets()[dataset]]
    for one in columns:
        del one["upstream"]
    return {"dataset": dataset, "columns": columns}


def _derivation(known: Derivation) -> Document:
    return {
        "column": str(known.field),
        "from": [str(parent) for parent in known.parents],
        "step": known.step,
        "how": known.how or known.reason,
    }

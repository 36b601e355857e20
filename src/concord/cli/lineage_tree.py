"""A column's lineage as a tree in the terminal."""

from rich.markup import escape
from rich.tree import Tree

from concord.lineage.graph import Field, Graph


def tree(known: Graph, root: Field, is_downstream: bool = False) -> Tree:
    """From a column to those that it is made of, or that are made of it, and on from these; nothing is drawn twice."""
    children, whole, drawn = known.children(), Tree(_label(known, root)), {root}

    def grow(branch: Tree, of: Field) -> None:
        for one in sorted(children.get(of, [])) if is_downstream else known.parents(of):
            if one in drawn:
                branch.add(f"{escape(str(one))} [dim]see above[/dim]")
            else:
                drawn.add(one)
                grow(branch.add(_label(known, one)), one)

    grow(whole, root)
    return whole


def _label(known: Graph, column: Field) -> str:
    """The column, how it comes to be and by which step."""
    if column.is_source:
        return f"[bold]{escape(str(column))}[/bold]"
    if column not in known:
        return f"[red]{escape(str(column))}[/red] unknown"
    derivation = known.derivations[column]
    what = derivation.how or derivation.reason
    return " ".join(
        [escape(str(column)), *([f"= {escape(what)}"] if what else []), f"[dim]{escape(derivation.step)}[/dim]"]
    )

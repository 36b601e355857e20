"""Tables in Markdown."""

from collections.abc import Iterator, Sequence


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(columns) + " |"
    yield "|" + "---|" * len(columns)
    yield from ("| " + " | ".join(row) + " |" for row in rows)
    yield ""

"""From RAW to the marts: the columns of every dbt model, from the SQL that dbt has compiled."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError
from sqlglot.lineage import Node, lineage

from concord.contracts.model import Dataset
from concord.dialects.snowflake import RAW_DATASETS
from concord.errors import Misconfigured
from concord.lineage.computed import COMPUTED, FROM_AS_OF, FROM_FILE
from concord.lineage.expressions import as_written, is_instant, rows_of, with_lookups
from concord.lineage.graph import ROWS, Derivation, Field

DIALECT = "snowflake"
UNKNOWN = "unknown"
"""Dataset of a column that SQL names and no table has."""

Manifest = Mapping[str, Any]
Schema = dict[str, dict[str, dict[str, dict[str, str]]]]


@dataclass(frozen=True)
class Models:
    """dbt's account of the compiled project. Models are built in schemas with ``suffix``, and named as readers see
    them. ``as_of`` is the instant, as text, that they were compiled with: where it stands, the batch's time does."""

    manifest: Manifest
    suffix: str
    as_of: str
    raw: tuple[Dataset, ...] = RAW_DATASETS
    _schema: Schema = field(default_factory=dict)

    def derivations(self) -> Iterator[Derivation]:
        """Every column of every seed and model, after those that it is made of."""
        for source in self.manifest["sources"].values():
            self._know(source, self._columns_of(source))
        for seed in self._nodes("seed").values():
            yield from self._seed(seed)
        for model in self._in_order():
            yield from self._model(model)

    def _model(self, model: Manifest) -> Iterator[Derivation]:
        nodes = self._followed(model)
        self._know(model, tuple(nodes))
        name, query = self._name(model), next(iter(nodes.values())).source
        parents = sorted({Field(self._table(table), ROWS) for table in rows_of(query, query)})
        yield Derivation(Field(name, ROWS), tuple(parents), model["name"], "rows")
        for column, node in nodes.items():
            yield self._column(Field(name, column.lower()), model["name"], node, query)

    def _followed(self, model: Manifest) -> dict[str, Node]:
        code = model.get("compiled_code")
        if not code:
            raise Misconfigured(f"dbt has not compiled {model['name']}, so its columns cannot be followed")
        try:
            query = with_lookups(parse_one(code, dialect=DIALECT), self._is_seed)
            nodes = lineage(None, query, schema=self._schema, dialect=DIALECT, trim_selects=False)
        except (SqlglotError, ValueError) as error:
            raise Misconfigured(f"the columns of {model['name']} cannot be followed: {error}") from error
        if ROWS in nodes:
            raise Misconfigured(f"{model['name']} selects the columns of a table that nobody knows")
        return nodes

    def _column(self, column: Field, step: str, node: Node, query: exp.Expr) -> Derivation:
        leaves = [leaf for leaf in node.walk() if not leaf.downstream]
        parents = sorted({parent for leaf in leaves for parent in self._parents(leaf, query)})
        expression = _last_step(node)
        is_as_of = expression is not None and is_instant(expression, self.as_of)
        reason = "" if parents else FROM_AS_OF if is_as_of else COMPUTED.get(str(column), "")
        how = "" if expression is None else as_written(expression, self.as_of, DIALECT)
        return Derivation(column, tuple(parents), step, "" if how == column.column else how, reason)

    def _parents(self, leaf: Node, query: exp.Expr) -> Iterator[Field]:
        """A column of a table; or, where rows are counted, the rows of the table that they are rows of."""
        name = leaf.name.rpartition(".")[2].strip('"').lower()
        if isinstance(leaf.expression, exp.Table):
            yield Field(self._table(leaf.expression), name)
        elif isinstance(leaf.expression, exp.Placeholder):
            yield Field(UNKNOWN, name)
        elif leaf.expression.find(exp.Star, exp.RowNumber):
            yield from (Field(self._table(table), ROWS) for table in rows_of(leaf.source, query))

    def _is_seed(self, table: exp.Table) -> bool:
        return self._table(table) in {self._name(seed) for seed in self._nodes("seed").values()}

    def _seed(self, seed: Manifest) -> Iterator[Derivation]:
        columns = tuple(seed.get("columns") or ())
        self._know(seed, columns)
        for column in (*columns, ROWS):
            yield Derivation(Field(self._name(seed), column.lower()), (), seed["name"], reason=FROM_FILE)

    def _columns_of(self, source: Manifest) -> tuple[str, ...]:
        known = {dataset.name: dataset.names for dataset in self.raw}
        name = source["name"].lower()
        if name not in known:
            raise Misconfigured(f"dbt reads the source {name}, which no contract declares")
        return known[name]

    def _know(self, node: Manifest, columns: tuple[str, ...]) -> None:
        tables = self._schema.setdefault(node["database"].upper(), {}).setdefault(node["schema"].upper(), {})
        tables[_relation(node).upper()] = {column.upper(): "TEXT" for column in columns}

    def _name(self, node: Manifest) -> str:
        """``staging.orders_enhanced`` for what is built as ``STAGING_SHADOW.ORDERS_ENHANCED``."""
        return self._named(node["schema"], _relation(node))

    def _table(self, table: exp.Table) -> str:
        return self._named(table.db, table.name)

    def _named(self, schema: str, relation: str) -> str:
        return f"{schema.upper().removesuffix(self.suffix)}.{relation}".lower()

    def _nodes(self, kind: str) -> dict[str, Manifest]:
        return {key: node for key, node in self.manifest["nodes"].items() if node["resource_type"] == kind}

    def _in_order(self) -> Iterator[Manifest]:
        """Models after the models that they read."""
        nodes, done = self._nodes("model"), set[str]()

        def visit(key: str) -> Iterator[Manifest]:
            if key in nodes and key not in done:
                done.add(key)
                for parent in nodes[key]["depends_on"]["nodes"]:
                    yield from visit(parent)
                yield nodes[key]

        for key in nodes:
            yield from visit(key)


def _relation(node: Manifest) -> str:
    return str(node.get("alias") or node.get("identifier") or node["name"])


def _last_step(node: Node) -> exp.Expr | None:
    """The last expression that did something to the column, for a copy of a copy says nothing."""
    for step in node.walk():
        expression = step.expression
        done: exp.Expr | None = expression.this if isinstance(expression, exp.Alias) else None
        if done is not None and not isinstance(done, exp.Column):
            return done
    return None

"""Tables that are built while events are stored, against a recount of the events at rest (trap K10).

The recount is each view's own select, run once over all events; what it must be equal to is what the view wrote
insert by insert. So a view cannot be forgotten here.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from concord.gateways.clickhouse import ClickHouse

SOURCES = ("events", "events_late")
VIEWS = """
select as_select, create_table_query, database from system.tables
where database = currentDatabase() and engine = 'MaterializedView' order by name
"""
TARGET = """
select engine, sorting_key from system.tables where database = currentDatabase() and name = {name:String}
"""
COLUMNS = """
select name, type from system.columns where database = currentDatabase() and table = {name:String}
    and default_kind not in ('MATERIALIZED', 'ALIAS') order by position
"""
SIGNATURE = "select count(), sum(cityHash64({hashed})) from (select {columns} from ({rows}){grouped})"


@dataclass(frozen=True)
class Built:
    """A table that views build. ``selects`` are the views' own, ``columns`` types by name."""

    name: str
    engine: str
    key: Sequence[str]
    columns: Mapping[str, str]
    selects: Sequence[str]

    def signature(self, rows: str) -> str:
        """SQL for the number of rows that these are once merged, and a hash of them."""
        columns = ", ".join(f"{self._merged(name)} as _{name}" for name in self.columns)
        hashed = ", ".join(map(self._hashed, self.columns))
        return SIGNATURE.format(hashed=hashed, columns=columns, rows=rows, grouped=self._grouped())

    def at_rest(self) -> str:
        return f"select {', '.join(self.columns)} from {self.name}"

    def recount(self) -> str:
        return " union all ".join(f"({select})" for select in self.selects)

    @property
    def _is_merged(self) -> bool:
        return self.engine in ("SummingMergeTree", "AggregatingMergeTree")

    def _grouped(self) -> str:
        """A row whose sums are all 0 may be there or not."""
        if not self._is_merged:
            return ""
        keys = f" group by {', '.join(self.key)}"
        sums = [name for name in self.columns if name not in self.key]
        is_summed = self.engine == "SummingMergeTree"
        return keys + (f" having {' or '.join(f'_{name} != 0' for name in sums)}" if is_summed else "")

    def _merged(self, name: str) -> str:
        kind = self.columns[name]
        if not self._is_merged or name in self.key:
            return f"cast({name} as {kind})"
        if aggregate := re.match(r"AggregateFunction\((\w+)", kind):
            return f"{aggregate.group(1)}Merge({name})"
        return f"sum({name})"

    def _hashed(self, name: str) -> str:
        return f"assumeNotNull(_{name}), isNull(_{name})" if "Nullable" in self.columns[name] else f"_{name}"


def view_differences(store: ClickHouse) -> list[str]:
    """Tables that are no recount of the events, in words; empty if all are."""
    return [text for table in built(store) if (text := _difference(store, table))]


def built(store: ClickHouse) -> list[Built]:
    """Every table that a view of events builds."""
    selects: dict[str, list[str]] = {}
    for select, definition, database in store.query(VIEWS):
        target = re.search(rf"TO {database}\.(\w+)", definition)
        source = re.search(rf"FROM {database}\.(\w+)", select)
        if target and source and source.group(1) in SOURCES:
            selects.setdefault(target.group(1), []).append(select)
    return [_described(store, name, each) for name, each in selects.items()]


def _described(store: ClickHouse, name: str, selects: Sequence[str]) -> Built:
    engine, key = store.query(TARGET, {"name": name})[0]
    columns = {str(column): str(kind) for column, kind in store.query(COLUMNS, {"name": name})}
    return Built(name, str(engine), [each.strip() for each in key.split(",")], columns, selects)


def _difference(store: ClickHouse, table: Built) -> str:
    found, wanted = (store.query(table.signature(rows))[0] for rows in (table.at_rest(), table.recount()))
    if found == wanted:
        return ""
    return f"{table.name}: {found[0]:,} rows (hash {found[1]}), a recount has {wanted[0]:,} (hash {wanted[1]})"

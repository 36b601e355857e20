"""Change logs as hypothesis draws them: a few keys through which anything goes, however unlikely a shop would send it."""

from datetime import timedelta

from hypothesis import strategies as st

from concord.contracts.histories import PRODUCT_HISTORY, USER_HISTORY, tracked
from concord.contracts.model import Dataset
from concord.contracts.tables import PRODUCTS, TOAST_PLACEHOLDER, USERS
from tests.factories import EPOCH, change_row, value

KEYS = (1, 2)
HISTORY_OF = {USERS.name: USER_HISTORY, PRODUCTS.name: PRODUCT_HISTORY}
Log = list[dict[str, object]]


def change_logs(table: Dataset) -> st.SearchStrategy[Log]:
    """Changes with offsets in their order; commit times that repeat, go back or are missing."""
    return st.lists(_changes(table), max_size=12).map(
        lambda changes: [{**change, "_offset": offset} for offset, change in enumerate(changes)]
    )


def _changes(table: Dataset) -> st.SearchStrategy[dict[str, object]]:
    committed = st.none() | st.integers(0, 4).map(lambda ms: EPOCH + timedelta(milliseconds=ms))
    times = {"__source_ts_ms": committed, "_timestamp": st.just(EPOCH + timedelta(milliseconds=5))}
    values = {name: _values(table, name) for name in tracked(HISTORY_OF[table.name])}
    return st.builds(
        lambda op, key, given, at: change_row(table, op, id=key, **({} if op == "d" else given), **at),
        st.sampled_from("cuudr"),
        st.sampled_from(KEYS),
        st.fixed_dictionaries(values),
        st.fixed_dictionaries(times),
    )


def _values(table: Dataset, name: str) -> st.SearchStrategy[object]:
    column = table[name]
    left_out = st.just(TOAST_PLACEHOLDER) if column.toastable else st.nothing()
    missing = st.none() if column.nullable else st.nothing()
    return st.sampled_from([value(column, seed) for seed in (1, 2)]) | left_out | missing

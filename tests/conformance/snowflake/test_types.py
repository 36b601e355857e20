"""A value that goes in comes out equal, of every type the warehouse uses, null included."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from concord.gateways.snowflake import Snowflake

pytestmark = pytest.mark.conformance

UNICODE = "ünïcödé 日本 🎉 \u200b end"
AWKWARD = "'single' \"double\" \\back \\n $usd $1 %s {x} -- ; /* */ ,|\t"
VALUES: tuple[tuple[str, Any], ...] = (
    ("NUMBER(38,2)", Decimal("999999999999999999999999999999999999.99")),
    ("NUMBER(38,2)", Decimal("-999999999999999999999999999999999999.99")),
    ("NUMBER(10,2)", Decimal("99999999.99")),
    ("NUMBER(10,2)", Decimal("-0.01")),
    ("NUMBER(18,4)", Decimal("0.0001")),
    ("NUMBER(38,0)", 9_223_372_036_854_775_807),
    ("NUMBER", -9_223_372_036_854_775_808),
    ("FLOAT", 1.5e-300),
    ("BOOLEAN", True),
    ("BOOLEAN", False),
    ("DATE", date(1, 1, 1)),
    ("DATE", date(9999, 12, 31)),
    ("TIMESTAMP_NTZ", datetime(2024, 2, 29, 23, 59, 59, 123456, UTC)),
    ("TIMESTAMP_NTZ", datetime(1, 1, 1, tzinfo=UTC)),
    ("TIMESTAMP_NTZ", datetime(1969, 12, 31, 23, 59, 59, 500000, UTC)),
    ("TIMESTAMP_NTZ", datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)),
    ("TIMESTAMP_TZ", datetime(2024, 2, 29, 23, 59, 59, 123456, UTC)),
    ("STRING", ""),
    ("STRING", UNICODE),
    ("STRING", AWKWARD),
    ("STRING", "two\nlines\r\nand a tab\t"),
    ("STRING", "007"),
    ("STRING", "x" * 1_000_000),
    ("BINARY", b"\x00\xff\x10"),
)
TYPES = (*dict.fromkeys(kind for kind, _ in VALUES), "VARIANT", "TIME")


def _stored(warehouse: Snowflake, kind: str, value: Any) -> Any:
    warehouse.execute(f"create or replace table RAW.round_trip (value {kind})")
    warehouse.execute("insert into RAW.round_trip (value) values (%s)", (value,))
    return warehouse.query("select value from RAW.round_trip")[0][0]


@pytest.mark.parametrize(("kind", "value"), VALUES, ids=lambda value: str(value)[:30])
def test_value_comes_back_equal(warehouse: Snowflake, kind: str, value: Any) -> None:
    stored = _stored(warehouse, kind, value)
    assert stored == value
    assert type(stored) is type(value) or isinstance(value, bytes)


@pytest.mark.parametrize("kind", TYPES)
def test_null_comes_back_null(warehouse: Snowflake, kind: str) -> None:
    assert _stored(warehouse, kind, None) is None


@pytest.mark.parametrize("value", [v for k, v in VALUES if k == "STRING"], ids=lambda value: value[:20])
def test_text_is_compared_as_it_was_sent(warehouse: Snowflake, value: str) -> None:
    _stored(warehouse, "STRING", value)
    assert warehouse.query("select count(*) from RAW.round_trip where value = %s", (value,)) == [(1,)]


def test_document_comes_back_equal(warehouse: Snowflake) -> None:
    document = {"a": [1, 2.5, None], "b": {"c": UNICODE, "d": True}, "e": AWKWARD}
    warehouse.execute("create or replace table RAW.documents (value variant)")
    warehouse.execute("insert into RAW.documents select parse_json(%s)", (json.dumps(document),))
    assert json.loads(warehouse.query("select value from RAW.documents")[0][0]) == document


def test_rows_with_and_without_nulls_keep_their_places(warehouse: Snowflake) -> None:
    instants = [datetime(2024, 1, day, tzinfo=UTC) if day % 2 else None for day in range(1, 20)]
    warehouse.execute("create or replace table RAW.gaps (day number, at timestamp_ntz)")
    warehouse.execute_many("insert into RAW.gaps (day, at) values (%s, %s)", list(enumerate(instants)))
    assert [at for _, at in warehouse.query("select day, at from RAW.gaps order by day")] == instants


def test_sum_of_money_is_exact(warehouse: Snowflake) -> None:
    thousand = "table(generator(rowcount => 1000))"
    warehouse.execute(f"create or replace table RAW.money as select 0.10::number(10,2) as amount from {thousand}")
    assert warehouse.query("select sum(amount), sum(amount * 3) from RAW.money") == [
        (Decimal("100.00"), Decimal("300.00"))
    ]


def test_sum_of_integers_is_a_whole_number(warehouse: Snowflake) -> None:
    warehouse.execute(
        "create or replace table RAW.sums as select sum(v) as total, count_if(v > 1) as n from (values (1), (2)) t(v)"
    )
    (total, n), described = warehouse.query("select * from RAW.sums")[0], warehouse.query("describe table RAW.sums")
    assert (total, n) == (3, 1)
    assert [row[1] for row in described] == ["NUMBER(38,0)", "NUMBER(38,0)"]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("(2.01 / 2)::number(18,2)", "1.01"),
        ("(-2.01 / 2)::number(18,2)", "-1.01"),
        ("round(2.01 / 2, 2)", "1.01"),
        ("avg(v)::number(18,4)", "1.5000"),
        ("(10644560.42 / 19960)::number(18,4)", "533.2946"),
    ],
)
def test_cast_quotient_rounds_half_away_from_zero(warehouse: Snowflake, expression: str, expected: str) -> None:
    rows = warehouse.query(f"select {expression} as quotient from (values (1), (2)) t(v)")
    assert rows[0] == (Decimal(expected),)


def test_division_by_zero_is_an_error(warehouse: Snowflake) -> None:
    with pytest.raises(Exception, match="Division by zero"):
        warehouse.query("select 1 / v from (values (1), (0)) t(v)")
    assert warehouse.query("select 1 / nullif(v, 0) from (values (0)) t(v)") == [(None,)]


def test_declared_columns_rule_over_the_query(warehouse: Snowflake) -> None:
    warehouse.execute(
        "create or replace table RAW.declared (id number(38,0) not null, price number(10,2), ratio number(18,4)) "
        "as (select 1, 2.675::double, 2.01 / 2)"
    )
    assert warehouse.query("select * from RAW.declared") == [(1, Decimal("2.68"), Decimal("1.0050"))]
    with pytest.raises(Exception, match="NOT NULL"):
        warehouse.execute("insert into RAW.declared (price) values (1)")
    with pytest.raises(Exception, match="non-nullable"):
        warehouse.execute("create or replace table RAW.declared (id number not null) as (select null)")


def test_keys_are_declared_and_not_enforced(warehouse: Snowflake) -> None:
    warehouse.execute("create or replace table RAW.keyed (id number primary key, u number unique)")
    assert warehouse.execute("insert into RAW.keyed values (1, 1), (1, 1)") == 2
    with pytest.raises(Exception, match="NOT NULL"):
        warehouse.execute("insert into RAW.keyed values (null, 1)")

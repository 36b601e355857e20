"""Golden fragments of the set-up statements: what an engine would let pass and we must not."""

from concord.contracts.behaviour import LATE_EVENTS
from concord.contracts.derived import DEAD_LETTERS, LOAD_AUDIT, SPEED_POSITION
from concord.contracts.events import EVENTS, EVENTS_LANDING
from concord.contracts.tables import ORDERS, TABLES, USERS, as_change, as_mirror, as_raw
from concord.dialects import clickhouse, dbt, iceberg, postgres, snowflake


def test_shop_tables_hold_keys_references_and_closed_sets() -> None:
    ddl = "\n".join(postgres.create_all())
    assert "external_id text unique" in ddl
    assert "sku text not null unique" in ddl
    assert "email text not null,\n" in ddl
    assert "user_id bigint references users (id)" in ddl
    assert "check (status in ('pending', 'processing', 'shipped', 'delivered', 'cancelled'))" in ddl
    assert "create index if not exists orders_user_id_idx on orders (user_id)" in ddl


def test_connector_reads_what_is_published_and_touches_only_its_heartbeat() -> None:
    assert postgres.grants() == [
        "grant select on users, products, orders, order_items, fence, heartbeat to concord_cdc",
        "grant update on heartbeat to concord_cdc",
    ]


def test_each_captured_table_refuses_truncate_again_and_again() -> None:
    function, *triggers = postgres.refuse_truncate()
    assert function.startswith("create or replace function refuse_truncate()")
    assert [trigger.splitlines()[0] for trigger in triggers] == [
        f"create or replace trigger refuse_truncate before truncate on {table}"
        for table in ("users", "products", "orders", "order_items")
    ]
    assert set(postgres.refuse_truncate()) <= set(postgres.create_all())


def test_speed_tables_deduplicate_repeated_inserts() -> None:
    for dataset in clickhouse.TABLE_DATASETS:
        assert "non_replicated_deduplication_window = 1000" in clickhouse.create_table(dataset)


def test_change_logs_and_positions_never_expire() -> None:
    lasting = {dataset.name for dataset in clickhouse.TABLE_DATASETS if "ttl" not in clickhouse.create_table(dataset)}
    changes = {as_change(table).name for table in TABLES.values()}
    assert lasting >= changes | {SPEED_POSITION.name}


def test_raw_records_expire_by_time_of_arrival_late_and_bad_ones_later() -> None:
    assert "ttl toDateTime(_timestamp) + interval 90 day" in clickhouse.create_table(LATE_EVENTS)
    assert "ttl toDateTime(_timestamp) + interval 30 day" in clickhouse.create_table(EVENTS)
    assert "ttl toDateTime(_timestamp) + interval 90 day" in clickhouse.create_table(DEAD_LETTERS)


def test_change_log_is_sorted_by_key_and_offset() -> None:
    assert "order by (id, _partition, _offset)" in clickhouse.create_table(as_change(ORDERS))


def test_position_table_is_not_split() -> None:
    assert "partition by" not in clickhouse.create_table(SPEED_POSITION)


def test_raw_tables_are_clustered_as_the_design_says() -> None:
    clusters = {name: snowflake.create_table(as_raw(table)).split("\n")[-1] for name, table in TABLES.items()}
    assert clusters == {
        "users": "cluster by (to_date(created_at))",
        "products": "cluster by (to_date(created_at), category)",
        "orders": "cluster by (to_date(created_at), status)",
        "order_items": "cluster by (to_date(created_at))",
    }


def test_load_time_has_its_default() -> None:
    assert "loaded_at TIMESTAMP_NTZ default current_timestamp() not null" in snowflake.create_table(LOAD_AUDIT)


def test_lake_columns_are_required_unless_a_delete_may_lack_them() -> None:
    columns = {name: (kind, required) for name, kind, required in iceberg.column_types(as_change(ORDERS))}
    assert columns["id"] == ("long", True)
    assert columns["total_amount"] == ("decimal(10, 2)", False)
    assert columns["__source_ts_ms"] == ("timestamptz", False)
    assert columns["_offset"] == ("long", True)


def test_lake_is_split_by_day_of_arrival_and_mirrors_by_their_date() -> None:
    assert iceberg.partition_transform(EVENTS_LANDING) == ("_timestamp", "day")
    assert iceberg.partition_transform(as_mirror(USERS)) == ("date", "identity")
    assert iceberg.partition_transform(USERS) is None


def test_sources_mark_personal_columns() -> None:
    tables = {table["name"]: table for table in dbt.sources()["sources"][0]["tables"]}
    marked = {column["name"] for column in tables["users"]["columns"] if column.get("config")}
    assert marked == {"email", "first_name", "last_name"}
    assert {"load_audit", "publications"} <= tables.keys()

-- Orders as they are now, for money: revenue comes from the tables, never from clicks. The newest change of a key
-- wins; a deleted order stays as a mark.

create table if not exists ecommerce.orders_current
(
    id Int64,
    user_id Nullable(Int64),
    status LowCardinality(String),
    total_amount Decimal(10, 2),
    created_at DateTime64(3, 'UTC') codec(Delta, ZSTD(1)),
    is_deleted Bool,
    _offset Int64,
    index created_at_range created_at type minmax granularity 1
)
engine = ReplacingMergeTree(_offset)
order by id
settings non_replicated_deduplication_window = 1000, index_granularity = 1024;

create materialized view if not exists ecommerce.orders_current_of_changes to ecommerce.orders_current as
select
    id, user_id, ifNull(status, '') as status, ifNull(total_amount, 0) as total_amount,
    ifNull(created_at, toDateTime64(0, 3, 'UTC')) as created_at, __op = 'd' as is_deleted, _offset
from ecommerce.orders_changes;

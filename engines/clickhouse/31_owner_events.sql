-- Recent events by the device (or user) they belong to, in the order that sessions are made of: what a session is
-- recomputed from when an event comes out of order, and one visitor's journey at a glance.

create table if not exists ecommerce.owner_events
(
    owner String,
    occurred_at DateTime64(3, 'UTC') codec(Delta, ZSTD(1)),
    event_id UUID,
    event_type LowCardinality(String),
    user_id Nullable(Int64),
    customer_tier LowCardinality(Nullable(String)),
    product_id Nullable(Int64),
    product_category LowCardinality(Nullable(String)),
    product_price Nullable(Decimal(10, 2)),
    quantity Nullable(Int32),
    total_amount Nullable(Decimal(10, 2)),
    results_count Nullable(Int32),
    page_url Nullable(String),
    referrer Nullable(String),
    device_type LowCardinality(Nullable(String)),
    _timestamp DateTime64(3, 'UTC') codec(Delta, ZSTD(1))
)
engine = MergeTree
partition by toYYYYMMDD(_timestamp)
order by (owner, occurred_at, event_id)
ttl toDateTime(_timestamp) + interval 3 day
settings non_replicated_deduplication_window = 1000, index_granularity = 1024;

create materialized view if not exists ecommerce.owner_events_of_events to ecommerce.owner_events as
select
    assumeNotNull(coalesce(anonymous_id, concat('user:', toString(user_id)))) as owner,
    occurred_at, event_id, event_type, user_id, customer_tier, product_id, product_category, product_price,
    quantity, total_amount, results_count, page_url, referrer, device_type, _timestamp
from ecommerce.events;

-- What visitors do, per minute, built while events are stored. A retried insert changes nothing here: every view's
-- target drops the repeated block as the table of events does. Nothing here is by tier: a LOGIN names a session
-- afterwards, so what each tier does is counted from the versions of sessions, into funnel_minutes.

create table if not exists ecommerce.activity_minutes
(
    minute DateTime('UTC') codec(Delta, ZSTD(1)),
    event_type LowCardinality(String),
    device_type LowCardinality(String),
    events UInt64
)
engine = SummingMergeTree
partition by toYYYYMM(minute)
order by (minute, event_type, device_type)
ttl minute + interval 400 day
settings non_replicated_deduplication_window = 1000;

create materialized view if not exists ecommerce.activity_minutes_of_events to ecommerce.activity_minutes as
select
    toStartOfMinute(occurred_at) as minute,
    event_type,
    ifNull(device_type, 'unknown') as device_type,
    count() as events
from ecommerce.events
group by minute, event_type, device_type;

create table if not exists ecommerce.product_minutes
(
    minute DateTime('UTC') codec(Delta, ZSTD(1)),
    product_id Int64,
    product_category LowCardinality(String),
    views UInt64,
    cart_adds UInt64,
    cart_removes UInt64,
    quantity_added UInt64
)
engine = SummingMergeTree
partition by toYYYYMM(minute)
order by (minute, product_id, product_category)
ttl minute + interval 400 day
settings non_replicated_deduplication_window = 1000;

create materialized view if not exists ecommerce.product_minutes_of_events to ecommerce.product_minutes as
select
    toStartOfMinute(occurred_at) as minute,
    assumeNotNull(product_id) as product_id,
    ifNull(product_category, '') as product_category,
    countIf(event_type = 'PRODUCT_VIEW') as views,
    countIf(event_type = 'ADD_TO_CART') as cart_adds,
    countIf(event_type = 'REMOVE_FROM_CART') as cart_removes,
    sumIf(assumeNotNull(quantity), event_type = 'ADD_TO_CART') as quantity_added
from ecommerce.events
where product_id is not null
group by minute, product_id, product_category;

create table if not exists ecommerce.search_minutes
(
    minute DateTime('UTC') codec(Delta, ZSTD(1)),
    search_query String,
    searches UInt64,
    without_result UInt64
)
engine = SummingMergeTree
partition by toYYYYMM(minute)
order by (minute, search_query)
ttl minute + interval 90 day
settings non_replicated_deduplication_window = 1000;

create materialized view if not exists ecommerce.search_minutes_of_events to ecommerce.search_minutes as
select
    toStartOfMinute(occurred_at) as minute,
    assumeNotNull(search_query) as search_query,
    count() as searches,
    countIf(results_count = 0) as without_result
from ecommerce.events
where event_type = 'SEARCH'
group by minute, search_query;

-- Users are exact for a day; visitors (devices too) are an estimate whose states add up over any span of days.
create table if not exists ecommerce.active_days
(
    day Date,
    users AggregateFunction(uniqExact, Int64),
    visitors AggregateFunction(uniqCombined64, String)
)
engine = AggregatingMergeTree
partition by toYYYYMM(day)
order by day
ttl day + interval 400 day
settings non_replicated_deduplication_window = 1000;

create materialized view if not exists ecommerce.active_days_of_events to ecommerce.active_days as
select
    toDate(occurred_at) as day,
    uniqExactStateIf(assumeNotNull(user_id), user_id is not null) as users,
    uniqCombined64State(assumeNotNull(coalesce(anonymous_id, concat('user:', toString(user_id))))) as visitors
from ecommerce.events
group by day;

-- The questions, as views over tables built for them. None reads the raw events.
--
-- Parameters: `grain` is minute, hour, day, week or month; `since` a moment, and the period that holds it is counted
-- whole; `by` what rows are told apart by; `top` how many rows. What a session did counts in the period in which it
-- began, under the tier and source that are known of it now. Counts add up over rows; rates do not.

create or replace view ecommerce.lateness_bound as
select max(bound) as bound
from (select max(bound) as bound from ecommerce.speed_position union all select max(bound) from ecommerce.idle_bounds);

create or replace view ecommerce.sessions_current as
select
    * except (is_withdrawn, version),
    ended_at + interval 30 minute < (select bound from ecommerce.lateness_bound) as is_closed
from ecommerce.sessions final
where not is_withdrawn;

-- Visits that go on, by how far they have come. `since`: when the oldest of them may have begun.
create or replace view ecommerce.open_sessions as
select funnel_step, count() as sessions, sum(cart_value) as cart_value
from ecommerce.sessions_current
where started_at >= {since:DateTime('UTC')} and not is_closed
group by funnel_step
order by funnel_step;

create or replace view ecommerce.funnel_by_minute as
select
    minute, customer_tier, traffic_source,
    sum(sessions) as sessions, sum(viewed) as viewed, sum(carted) as carted, sum(checkouts) as checkouts,
    sum(purchased) as purchased, sum(events) as events, sum(page_views) as page_views,
    sum(product_views) as product_views, sum(searches) as searches,
    sum(searches_without_result) as searches_without_result, sum(cart_adds) as cart_adds,
    sum(cart_removes) as cart_removes, sum(checkout_starts) as checkout_starts, sum(purchases) as purchases,
    sum(cart_value) as cart_value, sum(abandoned_value) as abandoned_value, sum(purchase_value) as purchase_value
from ecommerce.funnel_minutes
group by minute, customer_tier, traffic_source
having sessions != 0;

create or replace view ecommerce.funnel_category_by_minute as
select
    minute, product_category,
    sum(viewed) as viewed, sum(carted) as carted, sum(checkouts) as checkouts, sum(purchased) as purchased
from ecommerce.funnel_category_minutes
group by minute, product_category
having viewed != 0;

-- Each rate is of the sessions that came so far; conversion is of all.
create or replace view ecommerce.funnel_rates as
select
    dateTrunc({grain:String}, minute, 'UTC') as period,
    multiIf(
        {by:Enum8('all' = 0, 'tier' = 1, 'source' = 2)} = 'tier', customer_tier,
        {by:String} = 'source', traffic_source,
        'all'
    ) as segment,
    sum(sessions) as sessions, sum(viewed) as viewed, sum(carted) as carted, sum(checkouts) as checkouts,
    sum(purchased) as purchased,
    viewed / nullIf(sessions, 0) as view_rate, carted / nullIf(viewed, 0) as cart_rate,
    checkouts / nullIf(carted, 0) as checkout_rate, purchased / nullIf(checkouts, 0) as purchase_rate,
    purchased / nullIf(sessions, 0) as conversion_rate
from ecommerce.funnel_minutes
where minute >= dateTrunc({grain:String}, {since:DateTime('UTC')}, 'UTC')
group by period, segment
having sessions != 0
order by period, segment;

create or replace view ecommerce.category_funnel_rates as
select
    dateTrunc({grain:String}, minute, 'UTC') as period, product_category,
    sum(viewed) as viewed, sum(carted) as carted, sum(checkouts) as checkouts, sum(purchased) as purchased,
    carted / nullIf(viewed, 0) as cart_rate, checkouts / nullIf(carted, 0) as checkout_rate,
    purchased / nullIf(checkouts, 0) as purchase_rate, purchased / nullIf(viewed, 0) as conversion_rate
from ecommerce.funnel_category_minutes
where minute >= dateTrunc({grain:String}, {since:DateTime('UTC')}, 'UTC')
group by period, product_category
having viewed != 0
order by period, product_category;

-- Carts without a purchase. A visit that goes on counts as abandoned until it buys.
create or replace view ecommerce.cart_abandonment as
select
    dateTrunc({grain:String}, minute, 'UTC') as period,
    multiIf(
        {by:Enum8('all' = 0, 'tier' = 1, 'source' = 2)} = 'tier', customer_tier,
        {by:String} = 'source', traffic_source,
        'all'
    ) as segment,
    sum(carted) as carts, sum(carted - purchased) as abandoned, abandoned / nullIf(carts, 0) as abandonment_rate,
    sum(cart_value) as cart_value, sum(abandoned_value) as abandoned_value
from ecommerce.funnel_minutes
where minute >= dateTrunc({grain:String}, {since:DateTime('UTC')}, 'UTC')
group by period, segment
having carts != 0
order by period, segment;

create or replace view ecommerce.tier_behaviour as
select
    dateTrunc({grain:String}, minute, 'UTC') as period, customer_tier,
    sum(sessions) as sessions, sum(events) as events, sum(page_views) as page_views,
    sum(product_views) as product_views, sum(searches) as searches,
    sum(searches_without_result) as searches_without_result, sum(cart_adds) as cart_adds,
    sum(cart_removes) as cart_removes, sum(checkout_starts) as checkout_starts, sum(purchases) as purchases,
    sum(cart_value) as cart_value, sum(purchase_value) as purchase_value
from ecommerce.funnel_minutes
where minute >= dateTrunc({grain:String}, {since:DateTime('UTC')}, 'UTC')
group by period, customer_tier
having sessions != 0
order by period, customer_tier;

-- Every event in the period in which it happened, whoever caused it.
create or replace view ecommerce.activity as
select dateTrunc({grain:String}, minute, 'UTC') as period, event_type, device_type, sum(events) as events
from ecommerce.activity_minutes
where minute >= dateTrunc({grain:String}, {since:DateTime('UTC')}, 'UTC')
group by period, event_type, device_type
order by period, event_type, device_type;

-- Of the category, the newest that is known: an event from before the catalogue's first publication has none.
create or replace view ecommerce.top_products as
select
    product_id, argMax(product_category, (product_category != '', minute)) as product_category,
    sum(views) as views, sum(cart_adds) as cart_adds, sum(cart_removes) as cart_removes,
    sum(quantity_added) as quantity_added
from ecommerce.product_minutes
where minute >= toStartOfMinute({since:DateTime('UTC')})
group by product_id
order by views desc, cart_adds desc, product_id
limit {top:UInt32};

create or replace view ecommerce.searches_without_result as
select
    search_query, sum(without_result) as without_result, sum(searches) as searches,
    without_result / searches as without_result_rate
from ecommerce.search_minutes
where minute >= toStartOfMinute({since:DateTime('UTC')})
group by search_query
having without_result > 0
order by without_result desc, search_query
limit {top:UInt32};

create or replace view ecommerce.revenue_by_minute as
select
    toStartOfMinute(created_at) as minute, count() as orders, sum(total_amount) as revenue
from ecommerce.orders_current final
where not is_deleted and status != 'cancelled'
group by minute;

create or replace view ecommerce.active_by_day as
select day, uniqExactMerge(users) as users, uniqCombined64Merge(visitors) as visitors
from ecommerce.active_days
group by day;

-- Over days together, each user and visitor once.
create or replace view ecommerce.active_since as
select uniqExactMerge(users) as users, uniqCombined64Merge(visitors) as visitors
from ecommerce.active_days
where day >= {day:Date};

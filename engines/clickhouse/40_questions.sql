-- The questions, as views over tables built for them. None reads the raw events.

create or replace view ecommerce.lateness_bound as
select max(bound) as bound
from (select max(bound) as bound from ecommerce.speed_position union all select max(bound) from ecommerce.idle_bounds);

create or replace view ecommerce.sessions_current as
select
    * except (is_withdrawn, version),
    ended_at + interval 30 minute < (select bound from ecommerce.lateness_bound) as is_closed
from ecommerce.sessions final
where not is_withdrawn;

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

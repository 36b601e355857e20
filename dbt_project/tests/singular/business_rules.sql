-- One row per broken business rule and row of source data. The data is kept as it came, so this warns.
{{ config(severity='warn') }}

select 'customer tier is none of the four' as rule, 'users_enhanced' as model, id
from {{ ref('stg_users_enhanced') }}
where customer_tier not in ('bronze', 'silver', 'gold', 'platinum')
union all
select 'order total is negative', 'orders_enhanced', id
from {{ ref('stg_orders_enhanced') }}
where total_amount < 0
union all
select 'product price is negative', 'products_enhanced', id
from {{ ref('stg_products_enhanced') }}
where price < 0
union all
select 'quantity is zero or less', 'order_items_enhanced', id
from {{ ref('stg_order_items_enhanced') }}
where quantity <= 0
union all
select 'unit price is negative', 'order_items_enhanced', id
from {{ ref('stg_order_items_enhanced') }}
where unit_price < 0

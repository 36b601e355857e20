-- Grain: one row per user who came, went, or was registered on another day: the only changes of users that figures
-- by day depend on.
select id as user_id, min(to_date(created_at)) as first_date
from {{ ref('changed_users') }}
group by id
having {{ came_or_went() }} or count(distinct to_date(created_at)) > 1

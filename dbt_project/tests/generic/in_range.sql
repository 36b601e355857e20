{# Every column within its bounds, or null. #}
{% test in_range(model, bounds) %}
select *
from {{ model }}
where not ({{ bounds | join(' and ') }})
{% endtest %}

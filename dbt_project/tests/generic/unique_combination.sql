{# One row per combination of the columns, and none of them null. #}
{% test unique_combination(model, columns) %}
select {{ columns | join(', ') }}, count(*) as rows_of_the_key
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1 or {{ columns | join(' is null or ') }} is null
{% endtest %}

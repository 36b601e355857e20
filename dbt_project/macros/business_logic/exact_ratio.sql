{#
    numerator / denominator to four places, half away from zero, in whole numbers; null where there is nothing
    to divide by. `scale` is the numerator's number of decimal places.

    A plain division rounds twice in Snowflake (its quotient has six places before the cast sees it) and is a
    binary float elsewhere. Here the dividend is made a multiple of the divisor first, so the division has no
    remainder: (2n + d) div 2d is n/d rounded half up, on magnitudes; the sign is put back afterwards.
#}
{% macro exact_ratio(numerator, denominator, scale=0) -%}
    {%- set units = '1' ~ '0' * scale -%}
    {%- set dividend = '(abs(' ~ numerator ~ ')::number(38, ' ~ scale ~ ') * ' ~ units ~ ')::number(38, 0) * 20000 + '
        ~ denominator ~ ' * ' ~ units -%}
    {%- set divisor = denominator ~ ' * 2 * ' ~ units -%}
    case
        when {{ denominator }} = 0 then null
        else
            sign({{ numerator }})::number(38, 0)
            * round((({{ dividend }}) - mod({{ dividend }}, {{ divisor }})) / ({{ divisor }}))::number(30, 0)
            * 0.0001
    end::number(18, 4)
{%- endmacro %}

{% macro exact_ratio_or_zero(numerator, denominator, scale=0) -%}
    coalesce({{ exact_ratio(numerator, denominator, scale) }}, 0)::number(18, 4)
{%- endmacro %}

"""``funnel_minutes`` counted anew from sessions."""

from concord.contracts.behaviour import DONE, FUNNEL_MINUTES, GUEST

MEASURES = tuple(name for name in FUNNEL_MINUTES.names if name not in FUNNEL_MINUTES.key)
_COUNTED = {
    "sessions": "count()",
    **{
        name: f"countIf(funnel_step >= {n})" for n, name in enumerate(("viewed", "carted", "checkouts", "purchased"), 1)
    },
    **{name: f"sum({column})" for name, column in DONE.items()},
    "cart_value": "sum(cart_value)",
    "abandoned_value": "sumIf(cart_value, funnel_step in (2, 3))",
    "purchase_value": "sum(purchase_value)",
}
COUNTED = ", ".join(_COUNTED[name] for name in MEASURES)
"""What a query over sessions selects to count the measures."""


def funnel_of(sessions: str) -> str:
    """A query for the table's rows, columns in its order, over a table or view of sessions, conditions included."""
    return (
        f"select toStartOfMinute(started_at) as minute, ifNull(customer_tier, '{GUEST}'), traffic_source, {COUNTED} "
        f"from {sessions} group by minute, customer_tier, traffic_source"
    )

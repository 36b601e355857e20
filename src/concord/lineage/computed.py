"""Columns that no data go into, and what computes them. Any other column without a parent is a loose end."""

from concord.contracts.tables import TABLES

FROM_AS_OF = "as_of: the time that the batch's models take instead of now"
FROM_FILE = "a file of the dbt project"

COMPUTED = {
    "marts.product_recommendations.basis": "a word for the list that the recommendation is from",
    **{
        f"staging.changed_{name}.is_held_before": "from which side of the models' position the version comes"
        for name in TABLES
    },
}

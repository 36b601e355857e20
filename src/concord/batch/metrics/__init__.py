"""Customer, product, order and funnel metrics by Spark: the second computation of what dbt publishes.

Definitions are shared with dbt (``concord.rules``), computation is not: a mistake of the one shows against the other.
"""

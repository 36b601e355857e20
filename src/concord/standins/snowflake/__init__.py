"""A local server that speaks Snowflake's protocol: fakesnow on DuckDB, and what it lacks.

Drivers, dbt and the official Spark connector talk to it as they talk to an account; only the
address differs. What it cannot do is listed in :data:`UNSUPPORTED`.
"""

from concord.standins.snowflake.unsupported import UNSUPPORTED

__all__ = ["UNSUPPORTED"]

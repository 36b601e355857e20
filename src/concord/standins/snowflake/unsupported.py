"""What the stand-in cannot do, in words for people: `concord doctor` prints them."""

UNSUPPORTED = (
    "no micro-partitions, clustering, warehouses, credits: their statements do nothing",
    "the query history has this machine's seconds, and nothing of sizes, partitions, spilling or queueing",
    "no roles or grants: every session may do everything",
    "no key pairs: with a password it refuses whoever comes with a key, without one it does not look at it",
    "no masking policies or tags: personal columns are shown to everybody",
    "no resource monitors: nothing ends a month that runs away",
    "integers are 64 bit: NUMBER(38,0) beyond ±9.2e18 is refused, only sums of integers have 38 digits",
    "division and AVG give FLOAT (15 digits), not NUMBER: cast the result, the cast rounds as Snowflake does",
    "timestamps carry microseconds, not nanoseconds",
    "primary, unique and foreign keys are accepted and neither enforced nor listed",
    "quoted identifiers that differ only in case are the same",
    "a failed statement in a transaction rolls the whole transaction back; Snowflake keeps what went before it",
    "two open transactions that change the same rows: the second fails and must be run again, it does not wait",
    "a temporary table is an ordinary one until its session ends; it cannot hide another of its name",
    "dynamic tables, materialized views and Iceberg tables are plain tables, never refreshed",
    "no streams, tasks, pipes, alerts (accepted, nothing happens), procedures, functions or scripting",
    "no time travel, UNDROP, ASOF JOIN, GET_DDL",
    "no unloading (COPY INTO @stage), no SELECT from a stage, no COPY with ON_ERROR=CONTINUE or VALIDATION_MODE",
    "a result is one chunk: a client that reads millions of rows needs the memory for them",
)

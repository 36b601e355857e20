"""The audit trail: who or what read or changed what, when, on which batch or snapshot."""

from enum import StrEnum

from concord.contracts.model import Column, Dataset, by_name
from concord.contracts.types import BIGINT, INSTANT, JSON, TEXT, Category, Decimal


class Action(StrEnum):
    """``run``: a job made rows of rows. ``read``: somebody was shown rows. ``change``: by hand, past the jobs."""

    RUN = "run"
    READ = "read"
    CHANGE = "change"


class Ending(StrEnum):
    DONE = "done"
    FAILED = "failed"


TRAIL = Dataset(
    name="trail",
    description="One row per job, per table of a batch, and per read: who, what, when, on what, and what came of it.",
    key=("entry_id",),
    cluster=("begun_at",),
    columns=(
        Column("entry_id", TEXT, description="Given when it is written; delivered twice, it is kept once."),
        Column("begun_at", INSTANT),
        Column("action", Category(tuple(Action))),
        Column("what", TEXT, description="The command, and behind a colon the part of it: `batch run: load orders`."),
        Column("who", TEXT, description="User of the operating system, and machine."),
        Column(
            "identity", TEXT, nullable=True, description="As whom the store was asked: user, and role if it has roles."
        ),
        Column("store", TEXT, nullable=True, description="What was read or written: postgres, speed, lake, warehouse."),
        Column(
            "batch_id", TEXT, nullable=True, description="The batch that ran, or the newest one published when read."
        ),
        Column(
            "read_at", JSON, nullable=True, description="Position (topic, partition, offset) or lake snapshots (table)."
        ),
        Column(
            "statement_sha256", TEXT, nullable=True, description="Of a statement's text, which may itself name persons."
        ),
        Column("rows_in", BIGINT, nullable=True),
        Column("rows_out", BIGINT, nullable=True, description="Rows written, or shown."),
        Column("rows_rejected", BIGINT, nullable=True, description="Dead letters, violations, differences."),
        Column("seconds", Decimal(12, 3)),
        Column("ending", Category(tuple(Ending))),
        Column("error", TEXT, nullable=True, description="Kind of the failure; its words may name persons."),
    ),
)
AUDIT_SCHEMA = "AUDIT"
AUDIT = by_name(TRAIL)

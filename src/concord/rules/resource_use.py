"""What Spark and the lake ask for against what they use: paid for is what was asked for."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from concord.rules.cost_advice import Advice

MIB = 1 << 20
FEW_RUNS = 5
USED_SHARE = Decimal("0.5")
"""Less of what was asked for is too little to keep asking for it."""
CORES_SHARE = Decimal("0.25")
ROOM = Decimal("1.25")
"""Over the highest use: what to ask for instead."""
STORED_TIMES = 3
LEAST_BYTES = 64 * MIB
"""Of a table that is worth a thought."""


@dataclass(frozen=True)
class JobRun:
    """One run of one Spark job, as the lake's ``job_runs`` has it."""

    job: str
    seconds: Decimal
    cpu_seconds: Decimal
    peak_memory_bytes: int
    spilled_bytes: int


@dataclass(frozen=True)
class Asked:
    """What a Spark session asks for: cores for its tasks, and the driver's memory."""

    cores: int
    memory_bytes: int


@dataclass(frozen=True)
class Use:
    """All runs of one job together. Shares are of what was asked for."""

    job: str
    runs: int
    core_seconds_asked: Decimal
    core_seconds_used: Decimal
    memory_bytes_asked: int
    memory_bytes_used: int
    spilled_bytes: int

    @property
    def core_share(self) -> Decimal:
        """cpu_seconds ÷ (seconds × cores)"""
        return self.core_seconds_used / self.core_seconds_asked if self.core_seconds_asked else Decimal(0)

    @property
    def memory_share(self) -> Decimal:
        """Highest resident memory of any run ÷ memory asked for; a Java machine takes some beyond its heap."""
        return Decimal(self.memory_bytes_used) / self.memory_bytes_asked


@dataclass(frozen=True)
class Footprint:
    """One table of the lake: bytes of its rows now, and of everything that is kept below its location."""

    table: str
    needed_bytes: int
    stored_bytes: int


def use_by_job(runs: Iterable[JobRun], asked: Asked) -> list[Use]:
    """One row per job, by name."""
    found: dict[str, list[JobRun]] = {}
    for run in runs:
        found.setdefault(run.job, []).append(run)
    return [_use(job, its, asked) for job, its in sorted(found.items())]


def _use(job: str, runs: Sequence[JobRun], asked: Asked) -> Use:
    return Use(
        job=job,
        runs=len(runs),
        core_seconds_asked=sum((run.seconds for run in runs), Decimal(0)) * asked.cores,
        core_seconds_used=sum((run.cpu_seconds for run in runs), Decimal(0)),
        memory_bytes_asked=asked.memory_bytes,
        memory_bytes_used=max(run.peak_memory_bytes for run in runs),
        spilled_bytes=sum(run.spilled_bytes for run in runs),
    )


def on_memory(uses: Sequence[Use]) -> Iterator[Advice]:
    """Of all jobs together, because one session runs them."""
    if not uses:
        return
    asked, used = uses[0].memory_bytes_asked, max(use.memory_bytes_used for use in uses)
    if spilled := sum(use.spilled_bytes for use in uses):
        yield Advice(
            "Spark's memory", "ask for more than spark.batch_memory has", f"{spilled / MIB:,.0f} MiB went to disk"
        )
    elif sum(use.runs for use in uses) >= FEW_RUNS and used < USED_SHARE * asked:
        yield Advice(
            "Spark's memory",
            f"set spark.batch_memory to {Decimal(used) * ROOM / MIB:.0f}m",
            f"of {asked / MIB:,.0f} MiB asked for at most {used / MIB:,.0f} were used, and nothing went to disk",
        )


def on_cores(uses: Sequence[Use], asked: Asked) -> Iterator[Advice]:
    """Tasks that wait more than they compute do not become quicker by cores."""
    seconds = sum((use.core_seconds_asked for use in uses), Decimal(0))
    used = sum((use.core_seconds_used for use in uses), Decimal(0))
    if asked.cores > 1 and sum(use.runs for use in uses) >= FEW_RUNS and used < CORES_SHARE * seconds:
        yield Advice(
            "Spark's cores",
            "ask for fewer, or let the jobs of a run share a session",
            f"{used / seconds:.0%} of {seconds:,.0f} core seconds asked for were used by tasks",
        )


def on_footprint(table: Footprint) -> Iterator[Advice]:
    """Old snapshots, and files that nothing refers to."""
    if table.stored_bytes >= LEAST_BYTES and table.stored_bytes >= STORED_TIMES * table.needed_bytes:
        yield Advice(
            f"lake {table.table}",
            f"concord lake expire {table.table}, then concord lake clean-orphans {table.table}",
            f"{table.stored_bytes / MIB:,.0f} MiB are kept for {table.needed_bytes / MIB:,.0f} MiB of rows",
        )

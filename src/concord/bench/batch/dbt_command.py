"""A command of dbt in the process that calls it; a module of its own, so that nothing else is imported there."""

from pathlib import Path


def dbt_command(name: str, project: Path, profiles: Path) -> None:
    """Raises what dbt breaks off with; models and tests that fail stand in its account of the run."""
    from dbt.cli.main import dbtRunner  # takes seconds, and they are part of what the command takes

    folders = ("--project-dir", str(project), "--profiles-dir", str(profiles))
    done = dbtRunner().invoke(["--quiet", "--no-version-check", name, *folders])
    if done.exception:
        raise done.exception

"""``concord doctor``: the machine first."""

from collections.abc import Sequence
from dataclasses import asdict

from concord.cli.output import AsJson, console, print_json, table
from concord.errors import Misconfigured
from concord.platform.doctor import Finding, State, examine
from concord.settings import load_settings
from concord.standins.snowflake import UNSUPPORTED

COLOURS = {State.OK: "green", State.WARNING: "yellow", State.FAILED: "red"}


def doctor(as_json: AsJson = False) -> None:
    """Check the machine: disk, memory, ports, clock, Java, Python, what is installed; say what to do.

    Exit code 5 if something keeps Concord from running.
    """
    findings = examine(load_settings())
    if as_json:
        print_json({"findings": [asdict(finding) for finding in findings], "snowflake_stand_in_cannot": UNSUPPORTED})
    else:
        _print(findings)
    failed = [finding.subject for finding in findings if finding.state is State.FAILED]
    if failed:
        raise Misconfigured(f"not ready: {', '.join(failed)}", "see what to do above")


def _print(findings: Sequence[Finding]) -> None:
    rows = [(finding.subject, _coloured(finding.state), finding.says, finding.advice) for finding in findings]
    console.print(table("This machine", ("what", "state", "found", "what to do"), rows))
    console.print("What the Snowflake stand-in cannot do (a real account can):", style="bold")
    for limit in UNSUPPORTED:
        console.print(f"  · {limit}", highlight=False)


def _coloured(state: State) -> str:
    return f"[{COLOURS[state]}]{state.value}[/]"

"""The example documents are what the contract, the published schemas and the judge agree on."""

import json
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from concord.contracts.events import EventType
from concord.rules.quality import Accepted, Reason, Rejected, judge
from concord.settings import PROJECT
from tests.schema_oracle import schema_accepts

RECEIVED_AT = datetime(2024, 6, 1, 12, tzinfo=UTC)
EXAMPLES = sorted((PROJECT / "schemas/events/examples").glob("*.json"))
PASSING = [path for path in EXAMPLES if path.name.endswith(".pass.json")]
FAILING = [path for path in EXAMPLES if path.name.endswith(".fail.json")]
BEYOND_SCHEMAS = ("not_json", "duplicate_field", "impossible_time", "bad_format-day")
"""Faults that JSON Schema cannot see: they lie in the bytes, the clock or the calendar."""


def _case(path: Path) -> str:
    """The third part of the name: the reason, and behind a hyphen what in particular."""
    return path.name.split(".")[2]


def _expected_reason(path: Path) -> Reason:
    return Reason(_case(path).split("-")[0])


@pytest.mark.parametrize("path", PASSING, ids=lambda path: path.name)
def test_passing_example_is_accepted_by_judge_and_schema(path: Path) -> None:
    record = path.read_bytes()
    assert isinstance(judge(record, RECEIVED_AT), Accepted)
    assert schema_accepts(orjson.loads(record))


@pytest.mark.parametrize("path", FAILING, ids=lambda path: path.name)
def test_failing_example_is_rejected_for_the_reason_in_its_name(path: Path) -> None:
    verdict = judge(path.read_bytes(), RECEIVED_AT)
    assert isinstance(verdict, Rejected)
    assert verdict.reason is _expected_reason(path)


@pytest.mark.parametrize(
    "path", [path for path in FAILING if not _case(path).startswith(BEYOND_SCHEMAS)], ids=lambda path: path.name
)
def test_failing_example_is_refused_by_the_published_schema(path: Path) -> None:
    assert not schema_accepts(json.loads(path.read_bytes()))


@pytest.mark.parametrize("event_type", EventType)
def test_every_event_type_has_examples_of_both_kinds(event_type: EventType) -> None:
    prefix = f"{event_type.lower()}.v1."
    assert sum(path.name.startswith(prefix) for path in PASSING) >= 2
    assert sum(path.name.startswith(prefix) for path in FAILING) >= 3


def test_every_reason_but_size_has_an_example() -> None:
    assert {_expected_reason(path) for path in FAILING} == set(Reason) - {Reason.TOO_LARGE}

"""Rules ask only for metrics that there are, and every alert has a run book whose commands exist."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser as promql
import pytest
import yaml

from concord.settings import PROJECT
from concord.telemetry.metrics import CATALOGUE

MONITORING = PROJECT / "monitoring"
RULES = sorted((MONITORING / "rules").glob("[ar]*/*.yaml"))
RUNBOOKS = sorted((MONITORING / "runbooks").glob("*.md"))
TESTS = sorted((MONITORING / "rules" / "tests").glob("*.yaml"))
SECTIONS = ["## What it means", "## How to look", "## What to do", "## When it clears"]
PROMTOOL = shutil.which("promtool")


def rules() -> Iterator[dict[str, Any]]:
    for file in RULES:
        for group in yaml.safe_load(file.read_text())["groups"]:
            yield from group["rules"]


ALERTS = {rule["alert"]: rule for rule in rules() if "alert" in rule}
RECORDED = {rule["record"] for rule in rules() if "record" in rule}


def selectors(node: promql.Expr) -> list[promql.VectorSelector]:
    """Every series that an expression asks for."""
    found: list[promql.VectorSelector] = []

    def visit(each: promql.Expr) -> None:
        if isinstance(each, promql.VectorSelector):
            found.append(each)

    promql.walk(node, visit)
    return found


def asked(rule: dict[str, Any]) -> list[promql.VectorSelector]:
    return selectors(promql.parse(rule["expr"]))


def test_there_are_rules_alerts_and_tests() -> None:
    assert RULES
    assert TESTS
    assert ALERTS


@pytest.mark.parametrize("rule", list(rules()), ids=lambda rule: rule.get("alert") or rule.get("record"))
def test_a_rule_asks_for_metrics_that_there_are(rule: dict[str, Any]) -> None:
    names = {selector.name for selector in asked(rule)}
    assert names
    assert names <= {*CATALOGUE, *RECORDED}


@pytest.mark.parametrize("rule", list(rules()), ids=lambda rule: rule.get("alert") or rule.get("record"))
def test_a_rule_matches_labels_that_its_metrics_have(rule: dict[str, Any]) -> None:
    for selector in asked(rule):
        known = CATALOGUE.get(selector.name or "")
        labels = {matcher.name for matcher in selector.matchers.matchers}
        assert known is None or labels <= set(known.labels), selector.name


def test_every_rule_recorded_is_named_after_what_it_keeps_and_does() -> None:
    assert [
        name
        for name in RECORDED
        if not re.fullmatch(r"[a-z_]*:concord_[a-z_]+:[a-z0-9]+|concord:[a-z_]+:[a-z0-9]+", name)
    ] == []


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_has_a_severity_a_summary_and_its_own_run_book(name: str) -> None:
    alert = ALERTS[name]
    assert alert["labels"]["severity"] in ("page", "ticket")
    assert alert["annotations"]["summary"]
    assert alert["annotations"]["runbook"] == f"monitoring/runbooks/{name}.md"


def test_every_alert_has_a_run_book_and_every_run_book_an_alert() -> None:
    assert {file.stem for file in RUNBOOKS} == set(ALERTS)


@pytest.mark.parametrize("file", RUNBOOKS, ids=lambda file: file.stem)
def test_a_run_book_says_what_it_means_how_to_look_what_to_do_and_when_it_clears(file: Path) -> None:
    text = file.read_text()
    assert text.startswith(f"# {file.stem}\n")
    assert re.findall(r"^## .*$", text, re.MULTILINE) == SECTIONS
    assert [link for link in re.findall(r"\]\((\w+\.md)\)", text) if not file.with_name(link).is_file()] == []


@pytest.mark.parametrize("file", RUNBOOKS, ids=lambda file: file.stem)
def test_a_run_book_names_a_command(file: Path) -> None:
    assert "`concord " in file.read_text()


def test_every_alert_is_tested_firing_and_silent() -> None:
    checks = [
        check
        for file in TESTS
        for case in yaml.safe_load(file.read_text())["tests"]
        for check in case["alert_rule_test"]
    ]
    fires = {check["alertname"] for check in checks if check.get("exp_alerts")}
    silent = {check["alertname"] for check in checks if not check.get("exp_alerts")}
    assert fires == set(ALERTS)
    assert set(ALERTS) - silent == set()


def test_the_series_of_the_tests_are_in_the_catalogue() -> None:
    series = [
        each["series"]
        for file in TESTS
        for case in yaml.safe_load(file.read_text())["tests"]
        for each in case["input_series"]
    ]
    for text in series:
        (selector,) = selectors(promql.parse(text))
        assert selector.name in CATALOGUE, text
        labels = {matcher.name for matcher in selector.matchers.matchers} - {"instance"}
        assert labels <= set(CATALOGUE[selector.name].labels), text


@pytest.mark.skipif(PROMTOOL is None, reason="promtool, a part of Prometheus, is not installed here")
@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.stem)
def test_alerts_fire_on_their_faults_and_on_nothing_else(file: Path) -> None:
    for arguments in (["check", "rules", *map(str, RULES)], ["test", "rules", str(file)]):
        done = subprocess.run([str(PROMTOOL), *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

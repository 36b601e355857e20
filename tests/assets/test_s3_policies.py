"""The policies of engines/s3: well formed, and no wider than what each writer does."""

import json

import pytest

from concord.settings import PROJECT

POLICIES = {
    file.stem: json.loads(file.read_text()) for file in (PROJECT / "engines" / "s3" / "policies").glob("*.json")
}
ALLOWED = {name: policy for name, policy in POLICIES.items() if name != "refuse-unencrypted"}


def actions(name: str) -> set[str]:
    return {action for statement in POLICIES[name]["Statement"] for action in statement["Action"]}


@pytest.mark.parametrize("name", ALLOWED)
def test_a_policy_names_its_actions_and_its_bucket(name: str) -> None:
    for statement in ALLOWED[name]["Statement"]:
        assert statement["Effect"] == "Allow"
        assert not [action for action in statement["Action"] if "*" in action]
        assert statement["Resource"].startswith(("arn:aws:s3:::${bucket}", "arn:aws:s3:::${checkpoints}"))


def test_who_only_appends_deletes_nothing() -> None:
    assert "s3:DeleteObject" not in actions("sink")
    assert actions("reader").isdisjoint({"s3:PutObject", "s3:DeleteObject"})
    assert [name for name in ALLOWED if "s3:DeleteObject" in actions(name)] != []


def test_an_unencrypted_link_or_object_is_refused_to_everybody() -> None:
    conditions = [statement["Condition"] for statement in POLICIES["refuse-unencrypted"]["Statement"]]

    assert {"Bool": {"aws:SecureTransport": "false"}} in conditions
    assert all(statement["Effect"] == "Deny" for statement in POLICIES["refuse-unencrypted"]["Statement"])

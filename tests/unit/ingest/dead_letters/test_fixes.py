"""A fix changes what it names, and nothing else."""

import json

import pytest

from concord.ingest.dead_letters.fixes import BadFix, CannotFix, parse_fix

LARGE = (1 << 62) + 1


def apply(fix: str, original: bytes | None) -> bytes:
    return parse_fix(fix).apply(original)


def test_a_jq_program_gives_the_new_document() -> None:
    fixed = apply(".user_id |= tonumber | del(.colour)", b'{"user_id": "17", "colour": "blue", "name": "\xc3\xa9"}')
    assert fixed == '{"user_id":17,"name":"é"}'.encode()


def test_a_list_of_operations_is_a_json_patch() -> None:
    patch = '[{"op": "move", "from": "/a", "path": "/b"}, {"op": "remove", "path": "/c"}]'
    assert apply(patch, b'{"a": 1, "c": null}') == b'{"b":1}'


def test_a_list_that_is_no_patch_is_not_taken_for_a_program() -> None:
    with pytest.raises(BadFix, match="is no JSON patch"):
        parse_fix("[1]")


@pytest.mark.parametrize(
    "text", [".a |", "[", '[{"op": "frob", "path": "/a"}]', '[{"op": "add", "path": "a", "value": 1}]']
)
def test_a_fix_that_is_wrong_in_itself_is_told_in_one_line(text: str) -> None:
    with pytest.raises(BadFix) as refused:
        parse_fix(text)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "original", [None, b"", b"no json", b"\xff\xfe", b"{}{}", b'{"a": NaN}', b'{"a": 1e999}', b"[" * 100_000]
)
@pytest.mark.parametrize("fix", [".", "[]"])
def test_what_is_no_json_cannot_be_fixed(original: bytes | None, fix: str) -> None:
    with pytest.raises(CannotFix, match="is no JSON"):
        apply(fix, original)


@pytest.mark.parametrize(
    ("fix", "says"),
    [
        ("empty", "gives no document"),
        (".,.", "gives more than one document"),
        ("repeat(.)", "gives more than one document"),
        (".name + 1", "fails on it"),
        ('[{"op": "test", "path": "/name", "value": "Eve"}]', "a test of the JSON patch does not hold"),
        ('[{"op": "remove", "path": "/nothing"}]', "finds no place"),
        ('[{"op": "add", "path": "/name/x", "value": 1}]', "finds no place"),
    ],
)
def test_a_fix_that_does_not_fit_says_so_without_repeating_a_value(fix: str, says: str) -> None:
    with pytest.raises(CannotFix, match=says) as refused:
        apply(fix, b'{"name": "Mallory"}')
    assert "Mallory" not in str(refused.value)


def test_a_whole_number_that_jq_would_round_is_left_to_a_patch() -> None:
    original = json.dumps({"user_id": LARGE}).encode()
    with pytest.raises(CannotFix, match="use a JSON patch"):
        apply(".a = 1", original)
    assert json.loads(apply('[{"op": "add", "path": "/a", "value": 1}]', original)) == {"user_id": LARGE, "a": 1}
    assert apply(".a = 1", b'{"user_id": 9007199254740992}') == b'{"user_id":9007199254740992,"a":1}'


def test_one_fix_applied_twice_gives_the_same() -> None:
    fix = parse_fix('[{"op": "add", "path": "/tags", "value": []}, {"op": "add", "path": "/tags/-", "value": 1}]')
    assert [fix.apply(b"{}") for _ in range(2)] == [b'{"tags":[1]}'] * 2

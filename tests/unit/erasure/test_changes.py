"""Change records as they came: the person's lose what names them, and stay the rows, or the faults, that they were."""

import json
from typing import Any

import pyarrow as pa
import pytest

from concord.contracts.tables import ORDERS, USERS, as_change
from concord.erasure.changes import erased_change, is_theirs, owners
from concord.erasure.person import Person
from concord.erasure.records import documents, whole
from concord.rules.changes import UnfitChange, change_reader

ADA = Person(42, b"salt", frozenset({"ada@x.org", "Ada L"}), frozenset({"device-1"}), frozenset({7}))


def user(**values: object) -> dict[str, Any]:
    plain = {
        **{"id": 42, "email": "ada@x.org", "first_name": "Ada", "last_name": None},
        **{"created_at": "2020-01-01T00:00:00Z", "updated_at": "2020-01-01T00:00:00Z"},
        **{"__op": "u", "__source_lsn": 5, "__source_ts_ms": 6, "__ts_ms": 7},
    }
    return {**plain, **values}


def as_bytes(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def test_a_users_record_keeps_everything_but_the_name() -> None:
    record = as_bytes(user())
    erased = erased_change(record, USERS, ADA)
    was, is_now = change_reader(USERS)(record), change_reader(USERS)(erased)
    assert is_now == {**was, "email": "erased-42@erased.invalid", "first_name": "erased"}
    assert erased_change(erased, USERS, ADA) == erased


def test_somebody_elses_record_and_one_without_a_name_are_the_same_bytes() -> None:
    other = b'{ "id": 43,  "email": "ada@x.org", "first_name": "Ada L" }'
    nameless = b'{ "id" : 42, "email": null }'
    assert erased_change(other, USERS, ADA) == other
    assert erased_change(nameless, USERS, ADA) == nameless


def test_an_unfit_record_stays_unfit_for_the_same_reason() -> None:
    record = as_bytes(user(created_at="yesterday"))
    with pytest.raises(UnfitChange) as was:
        change_reader(USERS)(record)
    erased = erased_change(record, USERS, ADA)
    with pytest.raises(UnfitChange) as is_now:
        change_reader(USERS)(erased)
    assert is_now.value.args == was.value.args
    assert b"ada" not in erased.lower()


def test_a_column_that_no_contract_knows_stays_but_for_the_persons_words() -> None:
    erased = json.loads(erased_change(as_bytes(user(nick="lace", note="of Ada@X.org")), USERS, ADA))
    assert (erased["nick"], erased["note"]) == ("lace", "of xxx@x.xxx")


def test_what_is_no_object_is_masked_if_it_names_the_person() -> None:
    assert erased_change(b'{"email":"ada@x.org', USERS, ADA) == b'{"email":"xxx@x.xxx'
    assert erased_change(b'["ada@x.org"]', USERS, ADA) == b'["xxx@x.xxx"]'
    assert erased_change(b'{"email":"bob@x.org', USERS, ADA) == b'{"email":"bob@x.org'


@pytest.mark.parametrize(
    ("table", "change", "expected"),
    [
        (USERS, {"id": 42}, True),
        (USERS, {"id": "42"}, True),
        (USERS, {"id": 7}, False),
        (ORDERS, {"id": 7, "user_id": None}, True),
        (ORDERS, {"id": 8, "user_id": 42}, True),
        (ORDERS, {"id": 42, "user_id": 43}, False),
        (ORDERS, {}, False),
    ],
)
def test_whose_a_change_is(table: Any, change: dict[str, Any], expected: bool) -> None:
    assert is_theirs(change, table, ADA) is expected


def test_owners_and_documents_of_landed_records() -> None:
    values = [as_bytes(user()), None, b"42, no JSON", as_bytes(user(id=43, first_name="42"))]
    landed = pa.table({"value": pa.array(values, pa.binary())})
    assert owners(as_change(USERS).name, landed) == [42, None, None, 43]
    assert [found["id"] for found in documents(landed, 42)] == [42, 43]


def test_a_whole_number_as_such_or_as_text() -> None:
    assert [whole(each) for each in (5, "5", True, "5.0", None, 5.0)] == [5, 5, None, None, None, None]

"""Whether a bucket has what is wanted of it."""

import pytest

from concord.gateways.object_store.bucket import holds


@pytest.mark.parametrize(
    ("found", "wanted", "is_held"),
    [
        ({"Status": "Enabled", "MFADelete": "Disabled"}, {"Status": "Enabled"}, True),
        ({}, {"Status": "Enabled"}, False),
        ({"Rules": [{"ID": "b"}, {"ID": "a", "Status": "Enabled"}]}, {"Rules": [{"ID": "a"}]}, True),
        ({"Rules": [{"ID": "b"}]}, {"Rules": [{"ID": "a"}]}, False),
        ({"Rules": None}, {"Rules": []}, False),
    ],
)
def test_all_that_is_wanted_is_found(found: object, wanted: object, is_held: bool) -> None:
    assert holds(found, wanted) is is_held

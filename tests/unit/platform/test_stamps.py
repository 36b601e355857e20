from concord.platform.install.stamps import Stamp, fingerprint

STAMP = Stamp(lock="abc", sizes={"one.jar": 10, "two.jar": 20})


def test_a_folder_with_every_file_in_its_size_lacks_nothing():
    assert STAMP.missing("abc", {"one.jar": 10, "two.jar": 20}) == []


def test_an_absent_file_is_named():
    assert STAMP.missing("abc", {"one.jar": 10}) == ["two.jar"]


def test_a_file_of_another_size_is_named():
    assert STAMP.missing("abc", {"one.jar": 10, "two.jar": 19}) == ["two.jar"]


def test_a_changed_lock_makes_a_whole_folder_incomplete():
    assert STAMP.missing("abd", {"one.jar": 10, "two.jar": 20}) == ["the lock has changed"]


def test_the_fingerprint_does_not_depend_on_the_order_of_the_files():
    assert fingerprint({"a": "1", "b": "2"}) == fingerprint({"b": "2", "a": "1"})


def test_the_fingerprint_changes_with_a_name_and_with_a_content():
    prints = {fingerprint(files) for files in ({"a": "1"}, {"a": "2"}, {"b": "1"})}
    assert len(prints) == 3

import pytest

from concord.errors import ExitCode, Misconfigured
from concord.platform.install.hashes import holds, refuse_unless_equal, sha256_of


def test_a_wrong_hash_stops_and_names_the_file():
    with pytest.raises(Misconfigured, match=r"postgresql-42\.7\.13\.jar.*wrong content") as refused:
        refuse_unless_equal("postgresql-42.7.13.jar", "aa", "bb")
    assert refused.value.exit_code is ExitCode.MISCONFIGURED


def test_the_locked_hash_passes():
    refuse_unless_equal("a.jar", "aa", "aa")


def test_a_half_fetched_file_does_not_hold_its_content(tmp_path):
    whole, half = tmp_path / "whole", tmp_path / "half"
    whole.write_bytes(b"content")
    half.write_bytes(b"cont")
    assert holds(whole, sha256_of(whole))
    assert not holds(half, sha256_of(whole))
    assert not holds(tmp_path / "absent", sha256_of(whole))

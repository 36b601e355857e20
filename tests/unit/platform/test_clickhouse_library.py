import pytest

from concord.errors import Misconfigured, Unavailable
from concord.platform.install.clickhouse import _failure


@pytest.mark.parametrize(
    ("printed", "kind", "words"),
    [
        ("npm error code EINTEGRITY\nnpm error sha512-a", Misconfigured, "libchdb.so: npm refused the package"),
        ("npm error code EBADPLATFORM", Misconfigured, "Linux x86-64 only"),
        ("npm error code ENOSPC", Misconfigured, "no disk space left"),
        ("npm error code ENOTFOUND", Unavailable, "libchdb.so cannot be fetched by npm: npm error code ENOTFOUND"),
    ],
)
def test_npms_complaint_becomes_a_sentence_with_an_exit_code(printed, kind, words):
    failure = _failure(printed)
    assert isinstance(failure, kind)
    assert words in failure.message

"""A failed connector is restarted, and a worker that is away is waited for."""

from concord.errors import Unavailable
from concord.ingest.tend import restart_failed, tend


class Worker:
    """A Connect worker with connectors that failed."""

    def __init__(self, failed=(), is_away=False):
        self.failed, self.is_away = set(failed), is_away

    def names(self):
        if self.is_away:
            raise Unavailable("away")
        return ["source", "sink"]

    def restart_failed(self, name):
        was_failed = name in self.failed
        self.failed.discard(name)
        return was_failed


def test_only_what_failed_is_restarted():
    assert restart_failed(Worker(failed=["sink"])) == ["sink"]


def test_a_worker_that_does_not_answer_is_looked_at_again():
    assert restart_failed(Worker(is_away=True)) == []


def test_it_looks_until_told_to_stop():
    looks = []
    tend(Worker(), lambda seconds: looks.append(seconds) or len(looks) == 3)
    assert len(looks) == 3

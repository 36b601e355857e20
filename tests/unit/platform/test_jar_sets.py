import os
from contextlib import nullcontext
from hashlib import sha256
from types import SimpleNamespace

import pytest

from concord.errors import Misconfigured, Unavailable
from concord.platform.install import jar_sets
from concord.platform.install.locks import LockedJar

CONTENT = b"a jar"


def jar(content=CONTENT):
    return LockedJar("org.example", "thing", "1.0", "", sha256(content).hexdigest())


class Repository:
    """A Maven repository whose answers are given: bytes, or what goes wrong."""

    def __init__(self, folder, *answers):
        self.repo_cache = folder
        self.answers = list(answers)

    def project(self, group, artifact):
        return self

    def at_version(self, version):
        return self

    def artifact(self, classifier):
        return SimpleNamespace(resolve=self._resolve)

    def _resolve(self):
        target = self.repo_cache / jar().repository_path
        assert not target.exists(), "jgo would take it for a whole file"
        answer = self.answers.pop(0)
        target.write_bytes(answer if isinstance(answer, bytes) else CONTENT[:2])
        if isinstance(answer, Exception):
            raise answer


def fetch(folder, *answers, wanted=None):
    repository = Repository(folder / "staging", *answers)
    jar_sets._fetch(wanted or jar(), repository, folder / "place", folder / "m2")
    return repository


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    monkeypatch.setattr(jar_sets, "ATTEMPTS", 1)


def test_a_jar_that_is_there_is_not_fetched_again(tmp_path):
    fetch(tmp_path, CONTENT)
    fetch(tmp_path)


def test_a_half_fetched_jar_is_fetched_again(tmp_path):
    target = tmp_path / "staging" / jar().repository_path
    target.parent.mkdir(parents=True)
    target.write_bytes(CONTENT[:3])
    fetch(tmp_path, CONTENT)
    assert target.read_bytes() == CONTENT


def test_a_jar_of_mavens_own_cache_is_taken_if_its_content_is_right(tmp_path):
    cached = tmp_path / "m2" / jar().repository_path
    cached.parent.mkdir(parents=True)
    cached.write_bytes(CONTENT)
    fetch(tmp_path)
    cached.write_bytes(b"altered")
    (tmp_path / "staging" / jar().repository_path).unlink()
    with pytest.raises(IndexError):
        fetch(tmp_path)


def test_a_wrong_content_is_named_and_not_kept(tmp_path):
    with pytest.raises(Misconfigured, match=r"thing-1\.0\.jar: wrong content"):
        fetch(tmp_path, b"something else")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_without_a_network_the_jar_and_the_reason_are_named(tmp_path):
    try:
        raise ConnectionRefusedError(111, "Connection refused")
    except OSError as refused:
        wrapped = OSError("Max retries exceeded")
        wrapped.__context__ = refused
    with pytest.raises(Unavailable, match=r"thing-1\.0\.jar cannot be fetched: Connection refused") as failed:
        fetch(tmp_path, wrapped)
    assert "HTTPS_PROXY" in failed.value.hint


def test_a_full_disk_is_not_taken_for_a_broken_network(tmp_path):
    with pytest.raises(OSError, match="No space left"):
        fetch(tmp_path, OSError(28, os.strerror(28)))


@pytest.mark.parametrize(
    ("of", "is_asked"), [("central", True), ("*", True), ("external:*", True), ("*,!central", False), ("other", False)]
)
def test_mavens_mirror_of_the_central_repository_is_respected(tmp_path, of, is_asked):
    settings = tmp_path / "settings.xml"
    settings.write_text(
        '<settings xmlns="http://maven.apache.org/SETTINGS/1.0.0"><mirrors><mirror>'
        f"<mirrorOf>{of}</mirrorOf><url>https://mirror.example/maven/</url></mirror></mirrors></settings>"
    )
    found = jar_sets._mirrors_of_maven(settings)
    assert found == ({"central": "https://mirror.example/maven"} if is_asked else {})


def test_without_maven_settings_there_is_no_mirror(tmp_path):
    assert jar_sets._mirrors_of_maven(tmp_path / "settings.xml") == {}


def test_a_broken_settings_file_is_named(tmp_path):
    settings = tmp_path / "settings.xml"
    settings.write_text("<settings>")
    with pytest.raises(Misconfigured, match=r"settings\.xml is not XML"):
        jar_sets._mirrors_of_maven(settings)


def test_the_machines_own_jgo_settings_go_first(tmp_path, monkeypatch):
    monkeypatch.setattr(jar_sets.Path, "home", lambda: tmp_path)
    configuration = SimpleNamespace(repositories={"central": "https://jgo.example"})
    context = jar_sets._context(configuration, tmp_path, SimpleNamespace(file=nullcontext))
    assert context.remote_repos == {"central": "https://jgo.example"}

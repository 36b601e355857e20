"""The jars of one set: found on this machine or fetched by jgo, each compared with the lock, put in place together."""

import os
import shutil
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import stamina
from jgo.config import GlobalSettings
from jgo.maven import MavenContext, PythonResolver

from concord.errors import Misconfigured, Unavailable
from concord.platform.install import folders, hashes, stamps
from concord.platform.install.locks import LockedJar, locked_jars
from concord.platform.install.progress import Downloads
from concord.settings import Settings

AT_ONCE = 8
ROOM = 600 << 20
TIMEOUT_SECONDS = 60
ATTEMPTS = 3


def folder(settings: Settings, set_name: str) -> Path:
    return settings.cache / "jars" / set_name


def missing(settings: Settings, set_name: str) -> list[str]:
    """What the set lacks; empty if it is complete."""
    return stamps.missing(folder(settings, set_name), _fingerprint(locked_jars(set_name)))


def install(settings: Settings, set_name: str, downloads: Downloads) -> None:
    """Make the set complete. What a former run, or Maven, has fetched already is taken over if its content is right."""
    jars, place = locked_jars(set_name), folder(settings, set_name)
    if _is_right_but_unstamped(place, jars):
        stamps.write(place, _fingerprint(jars))
        return
    folders.require_room(settings.cache, ROOM, f"the {set_name} jars")
    staged = folders.staging(settings.cache, set_name)
    _fetch_all(jars, staged / "repository", place, downloads)
    folders.publish(_laid_out(jars, staged), place)
    shutil.rmtree(staged)


def _fingerprint(jars: list[LockedJar]) -> str:
    return stamps.fingerprint({jar.file_name: jar.sha256 for jar in jars})


def _is_right_but_unstamped(place: Path, jars: list[LockedJar]) -> bool:
    names = {path.name for path in place.glob("*.jar")}
    return names == {jar.file_name for jar in jars} and all(
        hashes.holds(place / jar.file_name, jar.sha256) for jar in jars
    )


def _laid_out(jars: list[LockedJar], staged: Path) -> Path:
    """A folder as it shall stand in the cache, stamp included."""
    prepared = staged / "jars"
    shutil.rmtree(prepared, ignore_errors=True)
    folders.open_to_all(prepared)
    for jar in jars:
        folders.link(staged / "repository" / jar.repository_path, prepared / jar.file_name)
    stamps.write(prepared, _fingerprint(jars))
    return prepared


def _fetch_all(jars: list[LockedJar], repository: Path, place: Path, downloads: Downloads) -> None:
    configuration = GlobalSettings.load()
    context = _context(configuration, repository, downloads)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        fetches = [pool.submit(_fetch, jar, context, place, Path(configuration.repo_cache)) for jar in jars]
        try:
            for fetch in fetches:
                fetch.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _context(configuration: GlobalSettings, repository: Path, downloads: Downloads) -> MavenContext:
    """jgo's own settings go before Maven's, Maven's before the public default."""
    resolver = PythonResolver(progress_callback=downloads.file)
    context = MavenContext(resolver=resolver, repo_cache=repository, timeout=TIMEOUT_SECONDS)
    context.remote_repos.update(_mirrors_of_maven(Path.home() / ".m2" / "settings.xml") | configuration.repositories)
    return context


def _mirrors_of_maven(settings_file: Path) -> dict[str, str]:
    """The mirror that Maven's settings name for the central repository; jgo reads settings of its own only."""
    if not settings_file.is_file():
        return {}
    try:
        mirrors = ElementTree.parse(settings_file).iterfind(".//{*}mirror")
    except ElementTree.ParseError as error:
        raise Misconfigured(f"{settings_file} is not XML: {error}", "mend it, or move it away") from None
    url = next(filter(None, map(_url_for_central, mirrors)), None)
    return {"central": url.rstrip("/")} if url else {}


def _url_for_central(mirror: ElementTree.Element) -> str | None:
    of = (mirror.findtext("{*}mirrorOf") or "").split(",")
    is_for_central = "!central" not in of and bool({"central", "*", "external:*"} & set(of))
    return mirror.findtext("{*}url") if is_for_central else None


def _fetch(jar: LockedJar, context: MavenContext, place: Path, maven_cache: Path) -> None:
    target = context.repo_cache / jar.repository_path
    if hashes.holds(target, jar.sha256):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    for source in _near(jar, place, maven_cache):
        shutil.copyfile(source, target)
        return
    _download(jar, context, target)
    if (actual := hashes.sha256_of(target)) != jar.sha256:
        target.unlink()
        hashes.refuse_unless_equal(jar.file_name, actual, jar.sha256)


def _near(jar: LockedJar, place: Path, maven_cache: Path) -> Iterator[Path]:
    """Files of this machine that are this jar: of the former set, of Maven's own cache."""
    candidates = (place / jar.file_name, maven_cache / jar.repository_path)
    return (path for path in candidates if os.access(path, os.R_OK) and hashes.holds(path, jar.sha256))


def _download(jar: LockedJar, context: MavenContext, target: Path) -> None:
    try:
        for attempt in stamina.retry_context(on=_is_worth_another_try, attempts=ATTEMPTS, timeout=None):
            with attempt:
                # jgo takes a file that is there for a whole one.
                target.unlink(missing_ok=True)
                context.project(jar.group, jar.artifact).at_version(jar.version).artifact(jar.classifier).resolve()
    except (OSError, RuntimeError) as error:
        target.unlink(missing_ok=True)
        if _is_ours(error):
            raise
        raise Unavailable(
            f"{jar.file_name} cannot be fetched: {_root_of(error)}",
            "check the network, the proxy (HTTPS_PROXY) and a Maven mirror (jgo.conf, settings.xml); "
            "what is finished is kept: run concord setup again",
        ) from None


def _root_of(error: BaseException) -> str:
    """What happened on the wire, out of the five exceptions it is wrapped in."""
    while error.__context__ is not None:
        error = error.__context__
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _is_ours(error: Exception) -> bool:
    """A failure of this machine's disk has an errno; the network's failures come wrapped, without."""
    return isinstance(error, OSError) and error.errno is not None


def _is_worth_another_try(error: Exception) -> bool:
    return isinstance(error, OSError | RuntimeError) and not _is_ours(error)

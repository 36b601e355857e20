"""Make .venv hold what uv.lock says, and this project. With nothing to do it takes no network.

Runs on the machine's own Python, with its standard library alone: nothing is installed yet. The
lock is exported and its hashes are what is checked; where packages come from is the machine's
business, so an index set for pip or for uv, by file or by environment, is the one that is asked.
"""

# ruff: noqa: TID251

import hashlib
import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
TOOLS = PROJECT / ".tools"
VENV = PROJECT / ".venv"
PYTHON = VENV / "bin" / "python"
UV = TOOLS / "bin" / "uv"
REQUIREMENTS = TOOLS / "requirements.txt"
STAMP = VENV / ".installed"
LOCKS = ("uv.lock", "pyproject.toml", "tools/uv.txt", "tools/build.txt")

INTO_VENV = ("--python", str(PYTHON), "--build-constraint", "tools/build.txt")

OLDEST, TOO_NEW = (3, 11), (3, 14)

# What pip is told, and the name uv has for it.
OF_PIP = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
}
OF_INDEXES = {"UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_NO_INDEX"}


def main():
    refuse_unusable_python()
    if STAMP.is_file() and STAMP.read_text() == wanted() and runs(PYTHON):
        return
    bring_uv()
    environment = uv_environment()
    if not runs(PYTHON):
        uv(environment, "venv", "--quiet", "--clear", "--prompt", "concord", "--python", sys.executable, str(VENV))
    bring_packages(environment)
    bring_project(environment)
    STAMP.write_text(wanted())


def refuse_unusable_python():
    found = ".".join(str(part) for part in sys.version_info[:3])
    if not OLDEST <= sys.version_info[:2] < TOO_NEW:
        fail(
            f"Python 3.11, 3.12 or 3.13 is needed; {sys.executable} is {found}",
            "set one: make PYTHON=/path/to/python3.12",
        )
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError as missing:
        major, minor = sys.version_info[:2]
        fail(
            f"this Python ({sys.executable}, {found}) cannot make environments: {missing.name} is missing",
            f"install it (Debian, Ubuntu: apt install python{major}.{minor}-venv)",
        )


def fail(what, advice):
    sys.exit(f"error: {what}\n{advice}")


def wanted():
    """Changes with everything the environment is made from; a moved checkout is another environment."""
    content = hashlib.sha256(str(VENV).encode())
    for name in LOCKS:
        content.update((PROJECT / name).read_bytes())
    return content.hexdigest()


def runs(program):
    try:
        return subprocess.run([str(program), "--version"], capture_output=True).returncode == 0
    except OSError:
        return False


def bring_uv():
    if not runs(TOOLS / "bin" / "pip"):
        run(
            [sys.executable, "-m", "venv", "--clear", str(TOOLS)], os.environ, "an environment for uv could not be made"
        )
    pip = [str(TOOLS / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    run([*pip, "-r", "tools/uv.txt"], os.environ, "uv could not be installed")


def bring_packages(environment):
    export = ("export", "--frozen", "--quiet", "--no-emit-project", "--all-groups", "--format", "requirements-txt")
    uv(environment, *export, "--output-file", str(REQUIREMENTS))
    # Compiled once here: every engine's launcher and every worker imports these, some where nothing may be written.
    uv(environment, "pip", "sync", *INTO_VENV, "--compile-bytecode", "--require-hashes", str(REQUIREMENTS))


def bring_project(environment):
    uv(environment, "pip", "install", *INTO_VENV, "--quiet", "--no-deps", "--editable", ".")


def uv(environment, *arguments):
    run([str(UV), *arguments], environment, "the locked packages could not be installed")


def run(command, environment, failure):
    if subprocess.run(command, cwd=PROJECT, env=environment).returncode != 0:
        fail(failure, "check the network, the proxy (HTTPS_PROXY) and the package index; then run it again")


def uv_environment():
    """Our environment with pip's settings under uv's names."""
    environment = {"UV_HTTP_TIMEOUT": "300", "UV_PYTHON_DOWNLOADS": "never", **os.environ}
    environment.pop("VIRTUAL_ENV", None)
    pip = [str(TOOLS / "bin" / "pip"), "config", "list"]
    listing = subprocess.run(pip, capture_output=True, text=True).stdout
    return {**in_words_of_uv(settings_of_pip(listing), uv_has_indexes()), **environment}


def settings_of_pip(listing):
    """What ``pip config list`` prints, by name: files first, then the environment, which wins."""
    found = {}
    for line in listing.splitlines():
        key, _, value = line.partition("=")
        found[key.rpartition(".")[2]] = " ".join(value.strip("'\"").replace("\\n", " ").split())
    return found


def in_words_of_uv(settings, uv_has_indexes):
    """pip's settings as environment of uv. Where uv has indexes of its own, pip's are left aside."""
    words = {OF_PIP[name]: value for name, value in settings.items() if name in OF_PIP}
    if settings.get("no-index", "").lower() in ("1", "true", "yes", "on"):
        words.pop("UV_DEFAULT_INDEX", None)
        words["UV_NO_INDEX"] = "1"
    return {name: value for name, value in words.items() if not (uv_has_indexes and name in OF_INDEXES)}


def uv_has_indexes():
    if OF_INDEXES & set(os.environ):
        return True
    folders = (Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"), Path("/etc"))
    files = [folder / "uv" / "uv.toml" for folder in folders]
    return any("index" in file.read_text() for file in files if file.is_file())


if __name__ == "__main__":
    main()

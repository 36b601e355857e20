"""Processes that are Python modules of Concord itself."""

import os
import sys
from collections.abc import Mapping

from concord.settings import Settings


def module_command(module: str, *arguments: str) -> tuple[str, ...]:
    """The command that runs ``module`` in this very environment."""
    return (sys.executable, "-m", module, *arguments)


def settings_environment(settings: Settings) -> Mapping[str, str]:
    """What makes a child process load the settings that this process has."""
    overrides = {name: value for name, value in os.environ.items() if name.startswith("CONCORD_") and "__" in name}
    return overrides | {
        "CONCORD_PROFILE": settings.profile,
        "CONCORD_HOME": str(settings.home),
        "CONCORD_CACHE": str(settings.cache),
        "PYTHONUNBUFFERED": "1",
    }

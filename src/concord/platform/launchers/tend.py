"""Who tends Connect's tasks: Connect leaves a failed one as it is."""

from concord import __version__
from concord.platform.engine import Engine, Launch
from concord.platform.launchers import connect
from concord.platform.launchers.own_python import module_command, settings_environment
from concord.settings import Settings

NAME = "tend"


def engine(settings: Settings) -> Engine:
    """Ready as soon as it runs: it serves nobody."""
    return Engine(
        name=NAME,
        version=__version__,
        ports=(),
        needs=(connect.NAME,),
        launch=lambda: Launch(command=module_command("concord", "tend"), environment=settings_environment(settings)),
        is_ready=lambda: True,
    )

"""When a running engine has to be restarted."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from concord.platform.engine import Launch

LAUNCH = Launch(command=("kafka", "server.properties"), files={Path("server.properties"): "num.partitions=4"})


def test_the_same_launch_has_the_same_digest() -> None:
    assert replace(LAUNCH).digest() == LAUNCH.digest()


@pytest.mark.parametrize(
    "change",
    [
        {"command": ("kafka", "other.properties")},
        {"environment": {"HEAP": "1g"}},
        {"files": {Path("server.properties"): "num.partitions=8"}},
        {"loads": (Path("plugin.jar"),)},
        {"user": "nobody"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_launch_that_differs_has_another_digest(change: dict[str, Any]) -> None:
    assert replace(LAUNCH, **change).digest() != LAUNCH.digest()

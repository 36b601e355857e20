"""A stack for one benchmark alone: its own home and ports, the profile's sizes, only the engines it needs."""

import json
import random
import shutil
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

from concord import provision
from concord.platform import lifecycle
from concord.platform.lifecycle import Watcher
from concord.platform.ports import holders
from concord.platform.supervisord import Supervisord
from concord.settings import Settings

FOLDER = "bench"
BLOCK = 32
LOWEST, HIGHEST = 12_000, 30_000
"""Above the well-known ports, below those the kernel hands to clients."""
BELOW = 10_000
"""The object store listens on a second port so much further up or down."""
LOCAL = "127.0.0.1"
FOLDERS = ("profile", "home", "cache")
"""Settings that are no sections."""

SPEED_STORES = ("kafka", "clickhouse")
LAKE_STORES = ("postgres", "object-store", "kafka", "connect", "clickhouse")
BATCH_STORES = ("object-store", "kafka", "connect", "clickhouse", "snowflake")
SPEED = "speed"


Provide = Callable[[Settings, Collection[str]], None]


def provide(own: Settings, stores: Collection[str]) -> None:
    """Topics and tables of these stores."""
    if set(SPEED_STORES) <= set(stores):
        provision.provision_kafka(own)
        provision.provision_clickhouse(own)
    if "connect" in stores:
        provision.provision_postgres(own)
        provision.provision_lake(own)
        provision.provision_connectors(own)


@contextmanager
def own_stack(
    settings: Settings, stores: Collection[str], watcher: Watcher, keep: bool = False, provide: Provide = provide
) -> Iterator[Settings]:
    """The stores run and hold topics and tables; everything ends and is deleted with the block, unless ``keep``."""
    own = own_settings(settings)
    try:
        lifecycle.start(own, stores, watcher)
        provide(own, stores)
        yield own
    finally:
        lifecycle.stop(own, watcher)
        if not keep:
            shutil.rmtree(own.home, ignore_errors=True)


def own_settings(settings: Settings) -> Settings:
    """The same sizes at other addresses, in a profile file below the profile's home."""
    home = settings.home / FOLDER / f"{time.time_ns() // 1_000_000:x}"
    home.mkdir(parents=True, mode=0o755)
    file = home / "profile.toml"
    sections = addresses(settings, free_ports())
    own = settings.model_copy(update={"home": home, "profile": str(file), **sections})
    own.__dict__.pop("secrets", None)  # cached for the other home
    file.write_text(as_toml(own.model_dump(mode="json", exclude=set(FOLDERS), exclude_none=True)))
    return own


def addresses(settings: Settings, ports: Iterator[int]) -> dict[str, Any]:
    """Every section that has a port, with another one."""

    def moved(section: str, **changes: object) -> Any:
        return getattr(settings, section).model_copy(update=changes)

    return {
        "postgres": moved("postgres", host=LOCAL, port=next(ports)),
        "kafka": moved("kafka", bootstrap=f"{LOCAL}:{next(ports)}", controller_port=next(ports)),
        "connect": moved("connect", url=f"http://{LOCAL}:{next(ports)}"),
        "object_store": moved(
            "object_store", endpoint=f"http://{LOCAL}:{next(ports)}", admin_port_base=next(ports) + 10
        ),
        "lake": moved("lake", uri=f"http://{LOCAL}:{next(ports)}"),
        "clickhouse": moved("clickhouse", host=LOCAL, http_port=next(ports), tcp_port=next(ports)),
        "snowflake": moved("snowflake", host=LOCAL, port=next(ports)),
        "telemetry": moved("telemetry", metrics_port=next(ports)),
    }


def free_ports() -> Iterator[int]:
    """Ports of one block in which nobody listens."""
    while True:
        first = random.randrange(LOWEST, HIGHEST, BLOCK)
        if not holders(range(first, first + BLOCK)) and not holders(range(first - BELOW, first - BELOW + BLOCK)):
            return iter(range(first, first + BLOCK))


def as_toml(sections: dict[str, dict[str, Any]]) -> str:
    """Sections of plain values, which is all a profile has."""
    return "\n".join(f"[{name}]\n" + "".join(map(_line, values.items())) for name, values in sections.items())


def _line(item: tuple[str, Any]) -> str:
    name, value = item
    return f"{name} = {json.dumps(value)}\n"


def start_speed(settings: Settings, watcher: Watcher) -> None:
    lifecycle.start(settings, [SPEED], watcher)


def stop_speed(settings: Settings) -> None:
    """Between two micro-batches, as always."""
    Supervisord(settings.home).stop(SPEED)


def pids(settings: Settings) -> dict[str, int]:
    """The process of every engine that runs."""
    states = Supervisord(settings.home).states()
    return {name: state.pid for name, state in states.items() if state.is_running and state.pid}

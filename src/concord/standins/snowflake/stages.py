"""Stage files over HTTP: what PUT and GET answer, and where the bytes go.

Drivers upload to a stage in the customer's cloud store. Of the kinds they know, only a Google
bucket with presigned URLs is plain HTTP, so every stage claims to be one. JDBC insists on
encryption material; the Python driver would really encrypt with it, so it gets none.
"""

import hashlib
import hmac
import os
import re
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fakesnow.transforms import stage

from concord.standins.snowflake.statements import LEAD

ROUTE = "/stages"
_GET = re.compile(rf"{LEAD}GET\s+'?@(?P<stage>[^'\s]+)'?\s+'?file://(?P<folder>[^'\s]*)", re.IGNORECASE | re.DOTALL)
_DUMMY_KEY = "AAAAAAAAAAAAAAAAAAAAAA=="


class StageFiles:
    """The files of internal stages below one folder; a URL is good only with its signature."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._key = secrets.token_bytes(32)

    def url(self, base: str, path: str) -> str:
        return f"{base}{ROUTE}/{quote(path)}?signature={self._signature(path)}"

    def is_signed(self, path: str, signature: str) -> bool:
        return hmac.compare_digest(signature, self._signature(path))

    def store(self, path: str, content: bytes) -> None:
        """Keep one file. The path is ours: it was signed."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)

    def _signature(self, path: str) -> str:
        return hmac.new(self._key, path.encode(), hashlib.sha256).hexdigest()


def upload_answer(
    files: StageFiles, base: str, put: dict[str, Any], stage_name: str, *, is_jdbc: bool
) -> dict[str, Any]:
    """What PUT answers: where to send the file. The driver asks again with the name it really sends."""
    folder, source = put["stageInfo"]["location"], os.path.basename(put["src_locations"][0])
    path = os.path.relpath(os.path.join(folder, source), stage.LOCAL_BUCKET_PATH)
    return {
        **put,
        "stageInfo": _stage_info(f"{stage_name}/", files.url(base, path), path=""),
        "encryptionMaterial": _encryption_material() if is_jdbc else None,
    }


def download_answer(files: StageFiles, base: str, sql: str) -> dict[str, Any] | None:
    """What GET answers, or None for another statement. The Spark connector asks it for the stage's kind only."""
    match = _GET.match(sql)
    if match is None:
        return None
    name = match["stage"]
    return {
        "command": "DOWNLOAD",
        "src_locations": [],
        "localLocation": match["folder"],
        "parallel": 4,
        "autoCompress": False,
        "overwrite": False,
        "sourceCompression": "auto_detect",
        "encryptionMaterial": [],
        "presignedUrls": [],
        "queryId": secrets.token_hex(16),
        "stageInfo": _stage_info(f"{name}/", files.url(base, name), path=name),
    }


def _stage_info(location: str, url: str, path: str) -> dict[str, Any]:
    return {
        "locationType": "GCS",
        "location": location,
        "path": path,
        "creds": {},
        "region": "",
        "storageAccount": None,
        "isClientSideEncrypted": False,
        "endPoint": None,
        "presignedUrl": url,
    }


def _encryption_material() -> dict[str, Any]:
    return {"queryStageMasterKey": _DUMMY_KEY, "queryId": secrets.token_hex(8), "smkId": 1}

"""The object store: objects below one prefix of one bucket, each encrypted at rest by the store (SSE-S3)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import urlsplit

import boto3  # type: ignore[import-untyped]
from botocore.config import Config  # type: ignore[import-untyped]
from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

from concord.errors import ConcordError, Misconfigured, Unavailable
from concord.gateways.object_store import bucket
from concord.gateways.object_store.bucket import Document, Kind

T = TypeVar("T")

ENCRYPTION = "AES256"
"""Asked for with every write: SSE-S3 in the words of the protocol."""
SCHEME = "s3a"
FILE_MANAGER = "org.apache.spark.internal.io.cloud.AbortableStreamBasedCheckpointFileManager"
"""Writes a file as one upload that appears whole or not at all; the usual one renames, which a store does by copying."""

ABSENT = frozenset({"404", "NoSuchKey", "NotFound"})
CHANGED = frozenset({"412", "PreconditionFailed", "409", "ConditionalRequestConflict"})
REFUSED = frozenset({"403", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch"})
NOT_IMPLEMENTED = "NotImplemented"
NO_BUCKET = "NoSuchBucket"
SERVER_ERROR = 500
UNSET = frozenset({"ServerSideEncryptionConfigurationNotFoundError", "NoSuchLifecycleConfiguration"})
IS_OURS = frozenset({"BucketAlreadyOwnedByYou", "BucketAlreadyExists"})
ATTEMPTS = 2
CONNECT_SECONDS, ANSWER_SECONDS = 2, 4
"""Short, because a lease is renewed over it."""


@dataclass(frozen=True)
class Versioned:
    """An object as it was read. ``version`` is the content's: one that is written again unchanged keeps it."""

    content: bytes
    version: str


@dataclass(frozen=True)
class Older:
    """A version of an object that is not the current one. When it was replaced the store does not say."""

    key: str
    version: str
    written_at: datetime


class ObjectStore:
    """Everything below ``s3a://bucket/prefix``. Nothing is connected before it is used."""

    def __init__(self, address: str, *, endpoint: str, region: str, access_key: str, secret_key: str) -> None:
        """Raises :class:`Misconfigured` for an ``address`` that names no bucket."""
        parts = urlsplit(address)
        self._bucket, self._prefix = parts.netloc, parts.path.strip("/")
        if parts.scheme != SCHEME or not self._bucket:
            raise Misconfigured(f"{address} is no address on an object store", f"write {SCHEME}://bucket/prefix")
        self._endpoint, self._region = endpoint, region
        self._access_key, self._secret_key = access_key, secret_key

    @property
    def address(self) -> str:
        """For people and for Spark."""
        return f"{SCHEME}://{self._bucket}/{self._prefix}".rstrip("/")

    def create_bucket(self) -> None:
        """Make sure that the bucket exists."""
        try:
            self._ask("create the bucket", lambda s3: s3.create_bucket(Bucket=self._bucket))
        except ClientError as error:
            if _code(error) not in IS_OURS:
                raise

    def holds_setting(self, kind: Kind, wanted: Document) -> bool:
        """Whether the bucket has all that is wanted. Raises :class:`Misconfigured` where the store knows no such setting."""
        try:
            found = self._ask(f"say its {kind}", lambda s3: bucket.held(s3, self._bucket, kind))
        except ClientError as error:
            if _code(error) in UNSET:
                return False
            raise self._unknown(kind, error) from error
        return bucket.holds(found, wanted)

    def apply_setting(self, kind: Kind, wanted: Document) -> None:
        """Give the bucket this setting. Raises :class:`Misconfigured` where the store does not take it."""
        try:
            self._ask(f"set its {kind}", lambda s3: bucket.apply(s3, self._bucket, kind, wanted))
        except ClientError as error:
            raise self._unknown(kind, error) from error

    def _unknown(self, kind: Kind, error: Any) -> Misconfigured:
        told = f"{_code(error)} {error.response['Error'].get('Message', '')}".strip()
        return Misconfigured(f"the object store at {self._endpoint} does not take this {kind}: {told}")

    def read(self, path: str) -> bytes | None:
        """The object's content, None if there is none."""
        found = self.versioned(path)
        return found.content if found else None

    def versioned(self, path: str) -> Versioned | None:
        """Content and version, None if there is none."""
        try:
            return self._ask(f"read {path}", lambda s3: _read(s3.get_object(Bucket=self._bucket, Key=self._key(path))))
        except ClientError as error:
            if _code(error) in ABSENT:
                return None
            raise

    def write(self, path: str, content: bytes, content_type: str = "application/octet-stream") -> None:
        """Write the object, whatever was there. The store compares it with its checksum."""
        self._ask(f"write {path}", lambda s3: self._put(s3, path, content, ContentType=content_type))

    def size(self, path: str) -> int | None:
        """Of the object in bytes, None if there is none."""
        try:
            found = self._ask(f"look for {path}", lambda s3: s3.head_object(Bucket=self._bucket, Key=self._key(path)))
        except ClientError as error:
            if _code(error) in ABSENT:
                return None
            raise
        return int(found["ContentLength"])

    def replace(self, path: str, content: bytes, version: str | None) -> str | None:
        """Write the object if it still has ``version`` (None: if there is none yet); its new version.

        None if it was changed meanwhile. Of several writers at once exactly one succeeds.
        """
        condition = {"IfNoneMatch": "*"} if version is None else {"IfMatch": version}
        try:
            return str(self._ask(f"write {path}", lambda s3: self._put(s3, path, content, **condition))["ETag"])
        except ClientError as error:
            if _code(error) in CHANGED | ABSENT:
                return None
            raise

    def names(self, folder: str) -> list[str]:
        """What lies right below ``folder``, in order."""
        prefix = f"{self._key(folder)}/"
        return sorted(key.removeprefix(prefix) for key in self._keys(prefix) if "/" not in key.removeprefix(prefix))

    def remove(self, path: str) -> None:
        """The object, and all below it; nothing happens if there is neither."""
        for key in [self._key(path), *self._keys(f"{self._key(path)}/")]:
            self._ask(f"remove {key}", lambda s3, key=key: s3.delete_object(Bucket=self._bucket, Key=key))  # type: ignore[misc]

    def older_versions(self) -> list[Older]:
        """Every version that was replaced or deleted and is still kept; none where the bucket keeps none."""
        return self._older(self._prefix)

    def _older(self, prefix: str) -> list[Older]:
        def every(s3: Any) -> list[Older]:
            pages = s3.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=prefix)
            return [
                Older(entry["Key"], entry["VersionId"], entry["LastModified"])
                for page in pages
                for entry in page.get("Versions", ())
                if not entry["IsLatest"]
            ]

        return self._ask("list older versions", every)

    def remove_every_version(self, path: str) -> None:
        """The object, and what is kept of it from before."""
        key = self._key(path)
        self._ask(f"remove {key}", lambda s3: s3.delete_object(Bucket=self._bucket, Key=key))
        for old in self._older(key):
            if old.key == key:
                version = old.version
                self._ask(
                    f"remove a version of {key}",
                    lambda s3, version=version: s3.delete_object(Bucket=self._bucket, Key=key, VersionId=version),  # type: ignore[misc]
                )

    def _keys(self, prefix: str) -> list[str]:
        def every(s3: Any) -> list[str]:
            pages = s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
            return [entry["Key"] for page in pages for entry in page.get("Contents", ()) if entry["Key"] != prefix]

        return self._ask(f"list {prefix}", every)

    def spark_options(self) -> dict[str, str]:
        """Spark's settings for checkpoints here, fit for a session that runs already."""
        bucket = f"fs.s3a.bucket.{self._bucket}"
        return {
            "spark.sql.streaming.checkpointFileManagerClass": FILE_MANAGER,
            f"{bucket}.endpoint": self._endpoint,
            f"{bucket}.endpoint.region": self._region,
            f"{bucket}.path.style.access": "true",
            f"{bucket}.connection.ssl.enabled": str(self._endpoint.startswith("https:")).lower(),
            f"{bucket}.aws.credentials.provider": "org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider",
            f"{bucket}.access.key": self._access_key,
            f"{bucket}.secret.key": self._secret_key,
            f"{bucket}.encryption.algorithm": ENCRYPTION,
            f"{bucket}.directory.marker.retention": "keep",
        }

    def _key(self, path: str) -> str:
        return f"{self._prefix}/{path}" if self._prefix else path

    def _put(self, s3: Any, path: str, content: bytes, **more: str) -> Any:
        key = self._key(path)
        return s3.put_object(Bucket=self._bucket, Key=key, Body=content, ServerSideEncryption=ENCRYPTION, **more)

    @cached_property
    def _client(self) -> Any:
        limits = {"connect_timeout": CONNECT_SECONDS, "read_timeout": ANSWER_SECONDS}
        return boto3.client(
            "s3",
            endpoint_url=self._endpoint,
            region_name=self._region,
            aws_access_key_id=self._access_key,
            aws_secret_access_key=self._secret_key,
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": ATTEMPTS}, **limits),
        )

    def _ask(self, what: str, call: Callable[[Any], T]) -> T:
        """The answer; what is an answer too (absent, changed) is left to the caller as it came."""
        try:
            return call(self._client)
        except BotoCoreError as error:
            raise Unavailable(f"the object store at {self._endpoint} could not {what}: {error}") from error
        except ClientError as error:
            if explained := self._explained(error, what):
                raise explained from error
            raise

    def _explained(self, error: Any, what: str) -> ConcordError | None:
        if _code(error) == NO_BUCKET:
            return Misconfigured(f"the object store has no bucket {self._bucket}", "`concord up` creates it")
        if _code(error) in REFUSED:
            return Misconfigured(f"the object store refuses to {what}: {error}", "check the secrets s3_*")
        if _status(error) >= SERVER_ERROR and _code(error) != NOT_IMPLEMENTED:
            return Unavailable(f"the object store at {self._endpoint} could not {what}: {error}")
        return None


def _read(answer: Any) -> Versioned:
    return Versioned(answer["Body"].read(), answer["ETag"])


def _code(error: Any) -> str:
    return str(error.response["Error"]["Code"])


def _status(error: Any) -> int:
    return int(error.response["ResponseMetadata"]["HTTPStatusCode"])

"""What a bucket is told about itself: versioning, encryption, lifecycle."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

Document = Mapping[str, Any]


class Kind(StrEnum):
    """Settings of a bucket, as the protocol names them."""

    VERSIONING = "versioning"
    ENCRYPTION = "encryption"
    LIFECYCLE = "lifecycle"


_HELD: Mapping[Kind, Callable[[Any, str], Document]] = {
    Kind.VERSIONING: lambda s3, bucket: s3.get_bucket_versioning(Bucket=bucket),
    Kind.ENCRYPTION: lambda s3, bucket: s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"],
    Kind.LIFECYCLE: lambda s3, bucket: s3.get_bucket_lifecycle_configuration(Bucket=bucket),
}
_APPLY: Mapping[Kind, Callable[[Any, str, Document], object]] = {
    Kind.VERSIONING: lambda s3, bucket, document: s3.put_bucket_versioning(
        Bucket=bucket, VersioningConfiguration=document
    ),
    Kind.ENCRYPTION: lambda s3, bucket, document: s3.put_bucket_encryption(
        Bucket=bucket, ServerSideEncryptionConfiguration=document
    ),
    Kind.LIFECYCLE: lambda s3, bucket, document: s3.put_bucket_lifecycle_configuration(
        Bucket=bucket, LifecycleConfiguration=document
    ),
}


def held(s3: Any, bucket: str, kind: Kind) -> Document:
    """What the bucket has of it. Raises the client's error where it has nothing, or the store knows no such thing."""
    return _HELD[kind](s3, bucket)


def apply(s3: Any, bucket: str, kind: Kind, document: Document) -> None:
    """Put it in the place of what was there."""
    _APPLY[kind](s3, bucket, document)


def holds(found: Any, wanted: Any) -> bool:
    """Whether all that is wanted is found; a store may add words of its own."""
    match wanted:
        case Mapping():
            return isinstance(found, Mapping) and all(holds(found.get(name), value) for name, value in wanted.items())
        case list():
            return isinstance(found, list) and all(any(holds(one, each) for one in found) for each in wanted)
        case _:
            return bool(found == wanted)

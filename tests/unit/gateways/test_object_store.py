"""The object store's address, and what Spark is told of it."""

import pytest

from concord.errors import Misconfigured
from concord.gateways.object_store import ObjectStore


def store(address: str) -> ObjectStore:
    return ObjectStore(
        address, endpoint="http://127.0.0.1:9000", region="us-east-1", access_key="key", secret_key="hush"
    )


@pytest.mark.parametrize("address", ["s3a://bucket", "s3a://bucket/", "s3a://bucket/a/b/"])
def test_an_address_is_a_bucket_and_perhaps_a_prefix(address: str) -> None:
    assert store(address).address == address.rstrip("/")


@pytest.mark.parametrize("address", ["", "bucket/a", "s3://bucket", "s3a:///a", "file:///a"])
def test_what_is_no_address_on_the_store_is_refused(address: str) -> None:
    with pytest.raises(Misconfigured, match="is no address on an object store"):
        store(address)


def test_spark_is_told_to_ask_for_encryption_and_not_to_rename() -> None:
    options = store("s3a://bucket/speed").spark_options()

    assert options["fs.s3a.bucket.bucket.encryption.algorithm"] == "AES256"
    assert options["spark.sql.streaming.checkpointFileManagerClass"].endswith(
        "AbortableStreamBasedCheckpointFileManager"
    )
    assert options["fs.s3a.bucket.bucket.connection.ssl.enabled"] == "false"

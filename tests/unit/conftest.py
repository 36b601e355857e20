"""What unit tests share."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def logging_of_its_own() -> Iterator[None]:
    """A command line configures the log of its process, on a stream that ends with its test."""
    yield
    structlog.reset_defaults()

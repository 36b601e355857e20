"""Spark's errors carry a page of Java: its first line says what is wrong."""

from collections.abc import Iterator
from contextlib import contextmanager

from py4j.protocol import Py4JError, Py4JJavaError  # type: ignore[import-untyped]
from pyspark.errors import PySparkException

from concord.errors import Unavailable

NO_TABLE = "TABLE_OR_VIEW_NOT_FOUND"
MORE_MEMORY = "what it printed says why; if its memory was too small: CONCORD_SPARK__BATCH_MEMORY"


@contextmanager
def in_words(what: str, hint: str) -> Iterator[None]:
    """Raises :class:`Unavailable` for whatever Spark cannot do."""
    try:
        yield
    except Py4JJavaError as error:
        raise _failed(what, str(error.java_exception), hint) from error
    except PySparkException as error:
        raise _failed(what, str(error), hint) from error
    except (Py4JError, ConnectionError) as error:
        raise Unavailable(f"Spark's Java machine ended before it could {what}", MORE_MEMORY) from error


def _failed(what: str, said: str, hint: str) -> Unavailable:
    advice = "`concord up` creates the lake's tables" if NO_TABLE in said else hint
    return Unavailable(f"Spark could not {what}: {said.strip().splitlines()[0]}", advice)

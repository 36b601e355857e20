"""A fix: what is done to the original before it is sent again. A jq program, or a JSON patch (RFC 6902)."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any, NoReturn

import jq  # type: ignore[import-not-found]  # compiled, without types
from jsonpatch import JsonPatch, JsonPatchException, JsonPatchTestFailed
from jsonpointer import JsonPointerException

MAX_EXACT = 1 << 53
"""jq computes in doubles: a whole number beyond may come out as another one."""


class BadFix(ValueError):
    """The fix itself is wrong, whatever it is applied to."""


class CannotFix(Exception):
    """The fix does not fit this document. The text repeats no value: it may be personal."""


@dataclass(frozen=True)
class Fix:
    """``text`` is the program or patch as it was given; it becomes part of the audit."""

    text: str
    change: Callable[[Any], Any]
    is_exact: bool

    def apply(self, original: bytes | None) -> bytes:
        """The repaired document. Raises :class:`CannotFix`."""
        document = _read(original, self.is_exact)
        return _written(self.change(document))


def parse_fix(text: str) -> Fix:
    """A list of operations is a JSON patch, anything else a jq program. Raises :class:`BadFix`."""
    if _is_patch(text):
        return Fix(text, _patching(text), is_exact=True)
    return Fix(text, _running(text), is_exact=False)


def _is_patch(text: str) -> bool:
    try:
        return isinstance(json.loads(text), list)
    except (ValueError, RecursionError):
        return False


def _patching(text: str) -> Callable[[Any], Any]:
    try:
        patch = JsonPatch.from_string(text)
    except (JsonPatchException, JsonPointerException) as error:
        raise BadFix(f"is no JSON patch: {_one_line(error)}") from None

    def change(document: Any) -> Any:
        try:
            return patch.apply(document)
        except JsonPatchTestFailed:
            raise CannotFix("a test of the JSON patch does not hold") from None
        except (JsonPatchException, JsonPointerException, LookupError, TypeError):
            raise CannotFix("an operation of the JSON patch finds no place in it") from None

    return change


def _running(text: str) -> Callable[[Any], Any]:
    try:
        program = jq.compile(text)
    except ValueError as error:
        raise BadFix(f"is no jq program: {_first_error(error)}") from None

    def change(document: Any) -> Any:
        try:
            found = list(islice(program.input_value(document), 2))
        except ValueError as error:
            raise CannotFix(f"the jq program fails on it: {_without_values(error)}") from None
        if len(found) != 1:
            raise CannotFix(f"the jq program gives {'no document' if not found else 'more than one document'}")
        return found[0]

    return change


def _read(original: bytes | None, is_exact: bool) -> Any:
    try:
        return json.loads(
            (original or b"").decode(),
            parse_int=int if is_exact else _exact_in_jq,
            parse_float=_finite,
            parse_constant=_refuse,
        )
    except (ValueError, RecursionError):
        raise CannotFix("the original is no JSON, so there is nothing that a fix could change") from None


def _written(document: Any) -> bytes:
    """Lone surrogates become bytes that are no UTF-8: the judge has the last word on them."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass")


def _exact_in_jq(digits: str) -> int:
    number = int(digits)
    if abs(number) > MAX_EXACT:
        raise CannotFix("holds a whole number beyond 2^53, which jq would round: use a JSON patch")
    return number


def _finite(digits: str) -> float:
    number = float(digits)
    return number if abs(number) != float("inf") else _refuse(digits)


def _refuse(number: str) -> NoReturn:
    raise ValueError(number)


def _first_error(error: Exception) -> str:
    return str(error).splitlines()[0].removeprefix("jq: error: ").rstrip(":")


def _without_values(error: Exception) -> str:
    """jq puts values into round brackets."""
    return re.sub(r"\(.*\)", "(…)", _one_line(error))


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())

"""From bytes to one JSON object, strictly: what two parsers could read in two ways is refused."""

import json
import re
from typing import Any

import orjson

from concord.rules.violations import Reason, Violation

MAX_RECORD_BYTES = 256 << 10
"""No event of ours comes near it; what is larger is a mistake or an attack."""
MAX_DEPTH = 64

MAX_DIGITS = 32
"""An integer with more digits is out of any range, whatever the rest of them say."""

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder(parse_int=lambda digits: int(digits[:MAX_DIGITS]))


def parse_object(record: bytes | None) -> tuple[dict[str, Any], dict[str, str]]:
    """The object and, per member, the text of its value as it came. Raises :class:`Violation`.

    Refused as no JSON: a byte order mark, invalid UTF-8, lone surrogates, NaN, numbers past double
    range, two documents.
    """
    if record is None:
        raise Violation(Reason.NOT_JSON, "has no value")
    if len(record) > MAX_RECORD_BYTES:
        raise Violation(Reason.TOO_LARGE, f"has {len(record)} bytes, allowed are {MAX_RECORD_BYTES}")
    document = _parse(record)
    if _is_deeper(document, MAX_DEPTH):
        raise Violation(Reason.TOO_LARGE, f"is nested deeper than {MAX_DEPTH}")
    if not isinstance(document, dict):
        raise Violation(Reason.NOT_AN_OBJECT, "is JSON but no object")
    return _members(record.decode())


def _parse(record: bytes) -> Any:
    try:
        return orjson.loads(record)
    except orjson.JSONDecodeError as error:
        raise Violation(Reason.NOT_JSON, str(error)) from None


def _is_deeper(document: Any, levels: int) -> bool:
    layer = [document]
    for _ in range(levels):
        layer = [child for node in layer for child in _children(node)]
        if not layer:
            return False
    return True


def _children(node: Any) -> list[Any]:
    match node:
        case dict():
            inner = list(node.values())
        case list():
            inner = node
        case _:
            return []
    return [child for child in inner if isinstance(child, dict | list)]


def _members(text: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Walk the object that ``text`` is known to hold, member by member."""
    values: dict[str, Any] = {}
    texts: dict[str, str] = {}
    at = _behind(text, 0)
    while text[at] != "}":
        name, end = _DECODER.raw_decode(text, at)
        start = _behind(text, end)
        value, end = _DECODER.raw_decode(text, start)
        if name in values:
            raise Violation(Reason.DUPLICATE_FIELD, "is there more than once", name)
        values[name], texts[name] = value, text[start:end]
        at = _space(text, end)
        at = _space(text, at + 1) if text[at] == "," else at
    return values, texts


def _behind(text: str, at: int) -> int:
    """Where the next token begins after the punctuation mark at or behind ``at``."""
    return _space(text, _space(text, at) + 1)


def _space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at

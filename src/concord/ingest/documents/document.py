"""One file: its bytes, its identity, and what kind of thing it is."""

import hashlib
import mimetypes
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import puremagic

from concord.errors import ContractViolation
from concord.ingest.documents.text import Found, text_of

MOST_BYTES = 256 << 20
"""A document is read whole."""
UNKNOWN = "application/octet-stream"
TEXT = "text/plain"
SURE = 0.8
"""Of puremagic: shorter signatures than that are left to the file's name."""


@dataclass(frozen=True)
class Document:
    """``name`` is the file's own, without its folder."""

    name: str
    content: bytes

    @classmethod
    def of(cls, file: Path) -> "Document":
        """Raises :class:`ContractViolation` naming a file that is none, empty or too large."""
        if not file.exists():
            raise ContractViolation(f"{file}: no such file")
        if not file.is_file():
            raise ContractViolation(f"{file} is a folder, not a file", "name the files in it")
        size = file.stat().st_size
        if not size:
            raise ContractViolation(f"{file} is empty")
        if size > MOST_BYTES:
            raise ContractViolation(f"{file} has {size:,} bytes, at most {MOST_BYTES:,} are taken")
        try:
            return cls(file.name, file.read_bytes())
        except OSError as error:
            raise ContractViolation(f"{file} cannot be read: {error.strerror}") from None

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @cached_property
    def content_type(self) -> str:
        """By a long signature, else by the name, else by a short one, else text if it is some."""
        by_content, confidence = _signature(self.content)
        by_name = mimetypes.guess_type(self.name)[0]
        if by_content and confidence >= SURE:
            return by_content
        return by_name or by_content or (TEXT if _is_text(self.content) else UNKNOWN)

    @cached_property
    def found(self) -> Found:
        return text_of(self.content, self.content_type)

    def row(self, uri: str, now: datetime) -> dict[str, Any]:
        """Of the table ``documents``."""
        return {
            "sha256": self.sha256,
            "name": self.name,
            "content_type": self.content_type,
            "size_bytes": len(self.content),
            "uri": uri,
            "content_text": self.found.text,
            "text_fault": self.found.fault,
            "put_at": now,
        }


def _signature(content: bytes) -> tuple[str | None, float]:
    try:
        best = puremagic.magic_string(content)[0]
    except (puremagic.PureError, ValueError):
        return None, 0.0
    return best.mime_type or None, best.confidence


def _is_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return b"\x00" not in content

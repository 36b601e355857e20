"""The text in a document, as far as libraries find it."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bs4 import BeautifulSoup
from pypdf import PdfReader
from pypdf.errors import PyPdfError

PLAIN = ("application/json", "application/xml", "application/x-ndjson", "application/yaml")
"""Text that does not say so."""


@dataclass(frozen=True)
class Found:
    """``text`` or the ``fault`` that kept it from being read; neither where the media type holds none."""

    text: str | None = None
    fault: str | None = None


def text_of(content: bytes, content_type: str) -> Found:
    """Never fails: a document that cannot be read is kept all the same."""
    reader = READERS.get(content_type) or (_plain if _is_plain(content_type) else None)
    if reader is None:
        return Found()
    try:
        return Found(text=reader(content).replace("\x00", ""))
    except UnicodeDecodeError as error:
        return Found(fault=f"is no UTF-8 at byte {error.start}")
    except (PyPdfError, ValueError, KeyError, TypeError, RecursionError) as error:
        return Found(fault=f"cannot be read as {content_type}: {error}")


def _is_plain(content_type: str) -> bool:
    return content_type.startswith("text/") or content_type in PLAIN


def _plain(content: bytes) -> str:
    return content.decode("utf-8-sig")


def _html(content: bytes) -> str:
    soup = BeautifulSoup(content, "html.parser")
    for unseen in soup(["script", "style"]):
        unseen.decompose()
    return soup.get_text(" ", strip=True)


def _pdf(content: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)


READERS: Mapping[str, Callable[[bytes], str]] = {"text/html": _html, "application/pdf": _pdf}

"""Documents into the lake: the bytes first, then the row that makes them count."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from concord.contracts.documents import DOCUMENT_SUBJECTS, DOCUMENTS, SUBJECTS
from concord.contracts.model import Dataset
from concord.dialects.arrow import arrow_schema
from concord.errors import Misconfigured
from concord.gateways.lake import Lake
from concord.gateways.object_store import ObjectStore
from concord.ingest.documents.document import Document

SHARD = 2
"""Digits of the identity that objects are spread by."""


@dataclass(frozen=True)
class Subject:
    """What documents are about."""

    kind: str
    number: str

    @classmethod
    def of(cls, text: str) -> "Subject":
        """From ``kind:id``. Raises :class:`Misconfigured` for another form or kind."""
        kind, colon, number = text.partition(":")
        if kind not in SUBJECTS or not colon or not number:
            raise Misconfigured(f"{text!r} names nothing", f"write KIND:ID; a kind is one of {', '.join(SUBJECTS)}")
        return cls(kind, number)


@dataclass(frozen=True)
class Put:
    """A document in the lake. ``is_new``: nobody had put its content there before."""

    document: Document
    uri: str
    is_new: bool


@dataclass(frozen=True)
class Putting:
    """Puts documents. Done twice, nothing changes: an object's name and a row's key follow from its content."""

    lake: Lake
    store: ObjectStore
    now: datetime

    def __call__(self, files: Iterable[Path], subject: Subject | None = None) -> Iterator[Put]:
        """One after the other. Raises :class:`ContractViolation` at the first file that cannot be taken."""
        for file in files:
            yield self._put(Document.of(file), subject)

    def _put(self, document: Document, subject: Subject | None) -> Put:
        path = f"{document.sha256[:SHARD]}/{document.sha256}"
        uri = f"{self.store.address}/{path}"
        if self.store.size(path) != len(document.content):
            self.store.write(path, document.content, document.content_type)
        is_new = self._append(DOCUMENTS, document.row(uri, self.now))
        if subject:
            about = {"sha256": document.sha256, "subject": subject.kind, "subject_id": subject.number}
            self._append(DOCUMENT_SUBJECTS, {**about, "put_at": self.now})
        return Put(document, uri, is_new)

    def _append(self, dataset: Dataset, row: dict[str, object]) -> bool:
        rows = pa.Table.from_pylist([row], schema=arrow_schema(dataset))
        return self.lake.append_missing(dataset.name, rows, dataset.key) == 1

"""Files that are no rows: what they are, and the text in them."""

from pathlib import Path

import pytest

from concord.errors import ContractViolation, Misconfigured
from concord.ingest.documents.document import Document
from concord.ingest.documents.put import Subject
from concord.ingest.documents.text import text_of

PAGE = b"BT /F1 12 Tf 20 100 Td (A lantern of white metal) Tj ET"
PDF = b"\n".join(
    [
        b"%PDF-1.4",
        b"1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj",
        b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj",
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>endobj",
        b"4 0 obj<</Length %d>>stream\n%s\nendstream endobj" % (len(PAGE), PAGE),
        b"5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj",
        b"trailer<</Root 1 0 R/Size 6>>",
        b"startxref",
        b"0",
        b"%%EOF",
    ]
)
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40


@pytest.mark.parametrize(
    ("name", "content", "content_type", "text"),
    [
        ("manual.pdf", PDF, "application/pdf", "A lantern of white metal"),
        ("picture.png", PNG, "image/png", None),
        ("a-picture-that-says-it-is-text.txt", PNG, "image/png", None),
        ("review.txt", "Schöner Leuchter".encode(), "text/plain", "Schöner Leuchter"),
        ("no-suffix", b"just words", "text/plain", "just words"),
        ("no-suffix", b"\x00\x01\xfe", "application/octet-stream", None),
        ("page.html", b"<html><style>b{}</style><p>White <b>metal</b></p></html>", "text/html", "White metal"),
        ("spec.json", b'{"weight": 3}', "application/json", '{"weight": 3}'),
    ],
)
def test_a_document_is_what_its_content_says(name: str, content: bytes, content_type: str, text: str | None) -> None:
    document = Document(name, content)

    assert document.content_type == content_type
    assert document.found.text == text
    assert document.found.fault is None


@pytest.mark.parametrize(
    ("content", "content_type", "told"),
    [
        (b"%PDF-1.4 cut short", "application/pdf", "cannot be read as application/pdf"),
        (b"caf\xe9", "text/plain", "is no UTF-8 at byte 3"),
    ],
)
def test_text_that_cannot_be_read_is_told_and_nothing_is_lost(content: bytes, content_type: str, told: str) -> None:
    found = text_of(content, content_type)

    assert found.text is None
    assert told in str(found.fault)


def test_the_same_content_is_the_same_document() -> None:
    assert Document("a.txt", b"x").sha256 == Document("b.txt", b"x").sha256


def test_what_is_no_document_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for name, told in (("none", "no such file"), ("", "is a folder"), ("empty", "is empty")):
        with pytest.raises(ContractViolation, match=told):
            Document.of(tmp_path / name)


@pytest.mark.parametrize("text", ["product", "product:", "shoe:3", ""])
def test_a_subject_that_names_nothing_is_refused(text: str) -> None:
    with pytest.raises(Misconfigured, match="names nothing"):
        Subject.of(text)


def test_a_subject_is_a_kind_and_its_number() -> None:
    assert Subject.of("product:85123A:x") == Subject("product", "85123A:x")

"""Unstructured data: a file each, told apart by its content."""

from dataclasses import replace

from concord.contracts.model import Column, Dataset
from concord.contracts.personal import Personal
from concord.contracts.tables import LOAD_METADATA
from concord.contracts.types import BIGINT, INSTANT, TEXT, Category

LOADED_AT = next(column for column in LOAD_METADATA if column.name == "loaded_at")
SUBJECTS = ("product", "review", "order")
"""What a document can be about."""

DOCUMENTS = Dataset(
    name="documents",
    description="One row per content that was put into the lake, whatever it was called and how often it came.",
    key=("sha256",),
    columns=(
        Column("sha256", TEXT, description="Of the bytes, in hexadecimal: the document's identity."),
        Column("name", TEXT, description="Name of the file that brought it first."),
        Column("content_type", Category(), description="Media type, by the content where it tells, else by the name."),
        Column("size_bytes", BIGINT),
        Column("uri", TEXT, description="Where the bytes are."),
        Column(
            "content_text",
            TEXT,
            nullable=True,
            personal=Personal.FREE_TEXT,
            description="The text in it, null where there is none to be had.",
        ),
        Column("text_fault", TEXT, nullable=True, description="Why there is no text, where there should be."),
        Column("put_at", INSTANT),
    ),
)

DOCUMENT_SUBJECTS = Dataset(
    name="document_subjects",
    description="What a document is about: one row per document and thing.",
    key=("sha256", "subject", "subject_id"),
    columns=(
        Column("sha256", TEXT, references="documents.sha256"),
        Column("subject", Category(SUBJECTS)),
        Column("subject_id", TEXT, description="Article number, review or order, as its own table names it."),
        Column("put_at", INSTANT),
    ),
)

RAW_DOCUMENTS = replace(
    DOCUMENTS,
    description="What is known of every document in the lake; its bytes and its text stay there.",
    columns=(*(column for column in DOCUMENTS.columns if column.name != "content_text"), LOADED_AT),
)
RAW_DOCUMENT_SUBJECTS = replace(DOCUMENT_SUBJECTS, columns=(*DOCUMENT_SUBJECTS.columns, LOADED_AT))

"""``concord lake put | documents``: files that are no rows."""

from pathlib import Path
from typing import Annotated, Any

import typer

from concord import bootstrap
from concord.cli.output import AsJson, console, print_json, table
from concord.contracts.documents import DOCUMENT_SUBJECTS, DOCUMENTS, SUBJECTS
from concord.ingest.documents.put import Put, Putting, Subject
from concord.settings import load_settings
from concord.telemetry.clock import now

ABOUT_HELP = f"KIND:ID; a kind is one of {', '.join(SUBJECTS)}."
SHOWN = 12


def put(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Any kind of file, up to 256 MiB.")],
    about: Annotated[str | None, typer.Option(help=f"What they are about: {ABOUT_HELP}")] = None,
    as_json: AsJson = False,
) -> None:
    """Put files into the lake, each content once: bytes, checksum, media type, and the text in them."""
    settings = load_settings()
    subject = Subject.of(about) if about else None
    putting = Putting(bootstrap.lake(settings), bootstrap.document_store(settings), now())
    done = list(putting(files, subject))
    if as_json:
        print_json([_document(each) for each in done])
        return
    columns = ("file", "sha256", "type", "bytes", "characters", "is")
    console.print(table("Documents", columns, [_row(each) for each in done]))


def documents(
    about: Annotated[str | None, typer.Option(help=f"Only those about it: {ABOUT_HELP}")] = None,
    as_json: AsJson = False,
) -> None:
    """The documents in the lake, and what they are about."""
    lake = bootstrap.lake(load_settings())
    subjects = lake.scan(DOCUMENT_SUBJECTS.name).to_pylist()
    wanted = Subject.of(about) if about else None
    named = {row["sha256"] for row in subjects if wanted == Subject(row["subject"], row["subject_id"])}
    columns = [name for name in DOCUMENTS.names if name != "content_text"]
    found = [row for row in lake.scan(DOCUMENTS.name, columns).to_pylist() if not wanted or row["sha256"] in named]
    shown = [{**row, "about": _about(subjects, row["sha256"])} for row in sorted(found, key=lambda row: row["put_at"])]
    if as_json:
        print_json(shown)
        return
    rows = [(r["name"], r["sha256"][:SHOWN], r["content_type"], r["size_bytes"], ", ".join(r["about"])) for r in shown]
    console.print(table("Documents", ("file", "sha256", "type", "bytes", "about"), rows))


def _about(subjects: list[dict[str, Any]], sha256: str) -> list[str]:
    return sorted(f"{row['subject']}:{row['subject_id']}" for row in subjects if row["sha256"] == sha256)


def _document(each: Put) -> dict[str, Any]:
    one = each.document
    return {
        "file": one.name,
        "sha256": one.sha256,
        "content_type": one.content_type,
        "bytes": len(one.content),
        "uri": each.uri,
        "characters": None if one.found.text is None else len(one.found.text),
        "text_fault": one.found.fault,
        "is_new": each.is_new,
    }


def _row(each: Put) -> tuple[object, ...]:
    shown = _document(each)
    characters = shown["characters"] if shown["text_fault"] is None else shown["text_fault"]
    state = "new" if each.is_new else "there already"
    return shown["file"], shown["sha256"][:SHOWN], shown["content_type"], shown["bytes"], characters, state

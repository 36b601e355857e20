"""Whatever a document tells its reader to type is a command that there is, with options that it has."""

import re
import shlex
from collections.abc import Iterator
from enum import EnumType
from pathlib import Path

import pytest
import typer
from typer.core import TyperArgument, TyperGroup
from typer.main import get_command

from concord.cli import app
from concord.settings import PROJECT

DOCUMENTS = sorted(
    [
        *PROJECT.glob("*.md"),
        *PROJECT.glob("docs/*.md"),
        *PROJECT.glob("docs/howto/*.md"),
        *PROJECT.glob("docs/adr/*.md"),
        *PROJECT.glob("monitoring/runbooks/*.md"),
    ]
)
SPAN = re.compile(r"(?:^|`)((?:\.venv/bin/)?concord [^`\n]+)", re.MULTILINE)


def told(document: Path) -> Iterator[str]:
    """Commands in spans and on lines of their own."""
    return (match[1].removeprefix(".venv/bin/") for match in SPAN.finditer(document.read_text()))


def what_is_wrong(text: str) -> str | None:
    """Of one command, up to a pipe, a comment or the first thing that stands for others."""
    try:
        _, *words = shlex.split(re.split(r" [|&#>]|;", text)[0])
    except ValueError:
        _, *words = text.split()
    command, path = get_command(app), "concord"
    while isinstance(command, TyperGroup) and words and re.fullmatch(r"[a-z][a-z-]*", words[0]):
        name = words.pop(0)
        found = command.get_command(typer.Context(command), name)
        if found is None:
            return f"{path} has no {name}"
        command, path = found, f"{path} {name}"
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    options = [match[0] for word in words if (match := re.match(r"--[a-z-]+", word.lstrip("[")))]
    if unknown := [option for option in options if option not in {*known, "--help"}]:
        return f"{path} has no {unknown[0]}"
    first = next((each for each in command.params if isinstance(each, TyperArgument)), None)
    kind = first.type_descriptor.annotation if first else None
    choices = [str(each) for each in kind] if isinstance(kind, EnumType) else []
    if choices and words and re.fullmatch(r"[a-z]+", words[0]) and words[0] not in choices:
        return f"{path} takes no {words[0]}"
    return None


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(PROJECT)))
def test_commands_of_a_document_exist(document: Path) -> None:
    assert [(text, wrong) for text in told(document) if (wrong := what_is_wrong(text))] == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("concord batch run --rebuild", None),
        ("concord sql speed 'select 1'", None),
        ("concord nothing", "concord has no nothing"),
        ("concord lake nothing orders", "concord lake has no nothing"),
        ("concord batch run --nothing", "concord batch run has no --nothing"),
        ("concord sql clickhouse 'select 1'", "concord sql takes no clickhouse"),
    ],
)
def test_what_is_wrong_with_a_command_is_seen(text: str, wrong: str | None) -> None:
    assert what_is_wrong(text) == wrong

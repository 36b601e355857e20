"""Text that others wrote, made fit for a terminal: nothing in it moves a cursor, hides or colours anything."""

from base64 import b64encode

from rich.markup import escape

SHOWN_CHARACTERS = 2000
MOSTLY = 0.9


def plain(text: str) -> str:
    """The text with every control, format or unassigned character spelled out, and no markup of ours."""
    return escape("".join(character if character.isprintable() else _spelled(character) for character in text))


def readable(original: bytes | None) -> str:
    """A record for the eye: its text, with bytes that are none as ``\\xff``; hexadecimal if it is hardly any text."""
    if original is None:
        return "(no value)"
    text = original.decode(errors="backslashreplace")
    whole = text if _is_text(original) else original.hex(" ")
    rest = len(whole) - SHOWN_CHARACTERS
    more = f" … {rest:,} more characters, --json has them" if rest > 0 else ""
    return plain(whole[:SHOWN_CHARACTERS]) + more


def exact(original: bytes | None) -> dict[str, str | None]:
    """A record for a machine: UTF-8 as text, anything else as base64."""
    if original is None:
        return {"encoding": None, "value": None}
    try:
        return {"encoding": "utf-8", "value": original.decode()}
    except UnicodeDecodeError:
        return {"encoding": "base64", "value": b64encode(original).decode()}


def _is_text(original: bytes) -> bool:
    decoded = original.decode(errors="replace")
    return sum(map(_is_letter, decoded)) >= MOSTLY * len(decoded)


def _is_letter(character: str) -> bool:
    return character != "\N{REPLACEMENT CHARACTER}" and (character.isprintable() or character in "\t\r\n")


def _spelled(character: str) -> str:
    return character.encode("unicode_escape", errors="backslashreplace").decode()

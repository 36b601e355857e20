"""What others wrote cannot act on the terminal that shows it."""

from base64 import b64decode
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from concord.cli.plain_text import SHOWN_CHARACTERS, exact, plain, readable


def on_screen(text: str) -> str:
    """What a terminal would be sent."""
    screen = StringIO()
    Console(file=screen, force_terminal=True, width=100, highlight=False, emoji=False).print(text, soft_wrap=True)
    return screen.getvalue()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;owned\x07", r"\x1b]0;owned\x07"),
        ("a\rb\nc\td\x7f", r"a\rb\nc\td\x7f"),
        ("\x9b31m", r"\x9b31m"),
        ("evil\u202etxt.exe", r"evil\u202etxt.exe"),
        ("\u200b\ufeff\U000e0001", r"\u200b\ufeff\U000e0001"),
        ("[red]alarm[/red] [/]", "[red]alarm[/red] [/]"),
        ("\ud800", r"\ud800"),
        ("naïve 漢字 🎁 {}", "naïve 漢字 🎁 {}"),
    ],
)
def test_controls_are_spelled_and_the_rest_is_shown(text: str, shown: str) -> None:
    assert on_screen(plain(text)) == f"{shown}\n"


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode(errors="surrogatepass")))
def test_no_record_puts_anything_but_printable_characters_on_the_screen(original: bytes) -> None:
    assert on_screen(readable(original)).removesuffix("\n").isprintable()


def test_a_spoiled_byte_in_a_text_is_shown_where_it_is_and_binary_as_hexadecimal() -> None:
    assert readable(b'{"event_id": "\xff"}') == r'{"event_id": "\xff"}'
    assert readable(b"\x00\x01\x02\xfe\xff") == "00 01 02 fe ff"
    assert readable(None) == "(no value)"


def test_a_long_record_is_cut_and_says_so() -> None:
    shown = readable(b"x" * (SHOWN_CHARACTERS + 1500))
    assert shown == "x" * SHOWN_CHARACTERS + " … 1,500 more characters, --json has them"


@given(st.binary())
def test_a_machine_gets_the_very_bytes(original: bytes) -> None:
    form = exact(original)
    value = form["value"] or ""
    assert (b64decode(value) if form["encoding"] == "base64" else value.encode()) == original

"""Numbers of things in words, and names of files in text."""

from __future__ import annotations

import pytest

from semc_core.text import counted, readable


@pytest.mark.parametrize(
    ("given", "said"),
    [((0, "group"), "0 groups"), ((1, "group"), "1 group"), ((2, "entry", "entries"), "2 entries")],
)
def test_one_is_not_many(given: tuple[int, str], said: str) -> None:
    assert counted(*given) == said


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("scan.mp4", "scan.mp4"),
        ("\u809d\u810f \N{GRINNING FACE} \u00ff.mp4", "\u809d\u810f \N{GRINNING FACE} \u00ff.mp4"),
        (b"bad\xff.mp4".decode("utf-8", "surrogateescape"), "bad\\xff.mp4"),
        ("half \ud83d", "half \\ud83d"),
    ],
)
def test_a_name_that_is_no_text_can_be_read_and_all_others_stay(given: str, said: str) -> None:
    assert readable(given) == said
    assert readable(given).encode()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("a\rb\x7f", "a\\x0db\\x7f"),
        ("\x9b31m\x85", "\\u009b31m\\u0085"),
        ("abc\u202efed\u202c\u2066\u200f\u061c", "abc\\u202efed\\u202c\\u2066\\u200f\\u061c"),
        ("one\u2028two", "one\\u2028two"),
        ("two\tcolumns\nand lines", "two\tcolumns\nand lines"),
    ],
)
def test_what_a_terminal_obeys_and_what_turns_the_writing_is_spelt_out(given: str, said: str) -> None:
    assert readable(given) == said

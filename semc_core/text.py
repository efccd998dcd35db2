"""Words for people."""

from __future__ import annotations


def counted(number: int, one: str, many: str = "") -> str:
    """ "1 group", "2 groups"; `many` where it is not `one` with an s."""
    return f"{number} {one if number == 1 else many or one + 's'}"

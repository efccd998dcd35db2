"""What is said of frames that are left out: how many, and which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from semc_core.language import _, plural

_MOST: Final = 8
"""Stretches that are named one by one."""


def left_out_sentence(numbers: Sequence[int]) -> str:
    """ "3 frames are damaged and left out: 7, 12-13." for ascending `numbers`."""
    return plural(
        "{count} frame is damaged and left out: {numbers}.",
        "{count} frames are damaged and left out: {numbers}.",
        len(numbers),
        numbers=spans(numbers),
    )


def spans(numbers: Sequence[int]) -> str:
    """ "7, 12-13" for the ascending numbers 7, 12, 13; of many stretches the first ones."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    said = [str(first) if first == last else f"{first}-{last}" for first, last in found[:_MOST]]
    named = ", ".join(said)
    return _("{names} and others", names=named) if len(found) > _MOST else named

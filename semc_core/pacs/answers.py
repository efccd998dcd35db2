"""What a server answers to a question (C-FIND): read with bounds, whatever it sends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Generic, Literal, TypeVar

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from semc_core.pacs.association import PENDING, SUCCESS

T = TypeVar("T")
LONGEST_ANSWERS: Final = 4
"""So many times the longest wait for one answer is the longest time for all of them."""


@dataclass(frozen=True, slots=True)
class Answers(Generic[T]):
    """What came.

    Attributes:
        rows: In the order in which they came.
        left_out: How many cannot be used: a value is none that DICOM allows there.
        stopped: Why the rest was not read; "" where it came to an end.
        status: Of the server at its end; success where it was stopped.
    """

    rows: tuple[T, ...]
    left_out: int
    stopped: Literal["", "too many", "too long"]
    status: int


def read_answers(
    answers: Iterator[tuple[Dataset, Dataset | None]],
    read: Callable[[Dataset], T | None],
    most: int,
    longest_s: float,
) -> Answers[T] | None:
    """Read what comes; at most `most` rows, and for so long.

    Args:
        answers: As the network library gives them.
        read: Makes a row of one; None where that cannot be used.
        most: Rows, with those that cannot be used.
        longest_s: Seconds, for all.

    Returns:
        What came; None where the connection was lost.
    """
    until_s = time.monotonic() + longest_s
    rows: list[T] = []
    left_out = 0
    for status, identifier in answers:
        if "Status" not in status:
            return None
        if status.Status not in PENDING:
            return Answers(tuple(rows), left_out, "", int(status.Status))
        if len(rows) + left_out >= most:
            return Answers(tuple(rows), left_out, "too many", SUCCESS)
        row = None if identifier is None else read(identifier)
        left_out += row is None
        rows += [] if row is None else [row]
        if time.monotonic() > until_s:
            return Answers(tuple(rows), left_out, "too long", SUCCESS)
    return Answers(tuple(rows), left_out, "", SUCCESS)


def text_of(dataset: Dataset, name: str) -> str:
    """A value as text; "" where there is none."""
    value: Any = dataset.get(name)
    # Several values where one belongs are joined as they were, and not allowed.
    several = isinstance(value, MultiValue)
    return "" if value is None else ("\\".join(map(str, value)) if several else str(value)).strip(" \0")


def name_of(text: str) -> str:
    """A name without the empty parts at its end; of several writings the first, where all are too long."""
    whole = text.rstrip("^= ")
    first = next((each for each in whole.split("=") if each.strip("^ ")), "")
    return whole if len(whole) <= 64 else first.rstrip("^ ")

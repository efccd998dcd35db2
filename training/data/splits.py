"""Which split a simulated patient belongs to: fixed by its number, so that nobody can mix them."""

from __future__ import annotations

from enum import Enum
from typing import Final

from semc_core.errors import UsageError

_TRAIN_END: Final = 1000
_VALIDATION_END: Final = 2000


class Split(Enum):
    """What a patient may be used for."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


def split_of(patient: int) -> Split:
    """The split of a simulated patient: below 1000 train, 1000-1999 validation, from 2000 test.

    Raises:
        UsageError: The number is negative.
    """
    if patient < 0:
        raise UsageError(f"Patient {patient} does not exist; patients count from 0.")
    if patient < _TRAIN_END:
        return Split.TRAIN
    return Split.VALIDATION if patient < _VALIDATION_END else Split.TEST


def choose_patients(text: str) -> list[int]:
    """`"20"` as so many patients, 70 % to train, 15 % to validate, 15 % to test on; `"0:20"` by number.

    Raises:
        UsageError: Neither, or fewer than three.
    """
    if ":" in text:
        return list(parse_patients(text))
    if not text.isdecimal() or not 3 <= int(text) <= _TRAIN_END:
        raise UsageError(f"{text!r} must be a number of patients from 3 to {_TRAIN_END}, or FIRST:END.")
    count = int(text)
    held_out = max(1, round(0.15 * count))
    return [
        *range(count - 2 * held_out),
        *range(_TRAIN_END, _TRAIN_END + held_out),
        *range(_VALIDATION_END, _VALIDATION_END + held_out),
    ]


def parse_patients(text: str) -> range:
    """`"0:150"` as range(0, 150); `"7"` as one patient.

    Raises:
        UsageError: Not of that form, or empty.
    """
    first, _, last = text.partition(":")
    try:
        patients = range(int(first), int(last) if last else int(first) + 1)
    except ValueError:
        raise UsageError(
            f"{text[:40]!r} is no range of patients; write FIRST:END, for example 0:150."
        ) from None
    if not patients or patients[0] < 0:
        raise UsageError(f"The range of patients {text[:40]!r} is empty; write FIRST:END, for example 0:150.")
    return patients

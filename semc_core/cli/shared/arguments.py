"""What is typed, as values: a nonsense value is refused at once, in a sentence, before anything is done.

No Typer here: the window's own command uses these too.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final

from semc_core.errors import UsageError
from semc_core.io.regular import is_folder

IN_USE: Final = Path("in-use")
"""As a default of `model_file`: whichever model the user has in use."""

_LARGEST: Final = 2**63 - 1


def positive(text: str) -> float:
    """A finite number above 0, for seconds, minutes and rates.

    Raises:
        UsageError: It is none.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise UsageError(f"{text!r} must be a number above 0")
    return value


def count(text: str) -> int:
    """A whole number, at least 1.

    Raises:
        UsageError: It is none.
    """
    if not (text.isdecimal() and text.strip("0")):
        raise UsageError(f"{text!r} must be a whole number, at least 1")
    return _not_too_large(text)


def seed(text: str) -> int:
    """A whole number, 0 or more, that decides chance.

    Raises:
        UsageError: It is none.
    """
    if not text.isdecimal():
        raise UsageError(f"{text!r} must be a whole number, 0 or more")
    return _not_too_large(text)


def _not_too_large(text: str) -> int:
    # The length first: Python makes no number of thousands of digits.
    if len(text.lstrip("0")) > len(str(_LARGEST)) or int(text) > _LARGEST:
        raise UsageError(f"{text!r} is too large; the largest is {_LARGEST}")
    return int(text)


def model_file(text: str) -> Path:
    """A model file by its path, or a model by its name (see `model.catalogue`); or `IN_USE`.

    Raises:
        SemcError: There is no model of this name, or its file is gone or changed.
    """
    if text == str(IN_USE):
        from semc_core.model.registry import current_model

        return current_model()
    from semc_core.model.catalogue import model_path

    return model_path(text)


def new_file(text: str) -> Path:
    """A file to write, in a folder that exists: known before the work, not after it.

    Raises:
        UsageError: There is no such folder, or the name is a folder's.
    """
    path = Path(text)
    if not is_folder(path.parent):
        raise UsageError(f"there is no folder {path.parent}; make it first")
    if is_folder(path):
        raise UsageError(f"{path} is a folder; name a file in it")
    return path

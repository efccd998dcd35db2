"""Types for `argparse`: a nonsense value is refused at once, in a sentence, before anything is done."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Final

from semc_core.errors import SemcError
from semc_core.runtime.load import DEVICES, PRECISIONS

IN_USE: Final = "in-use"
"""As a default of `model_file`: whichever model the user has in use."""


_LARGEST_SEED: Final = 2**63 - 1


def add_runtime_arguments(parser: argparse.ArgumentParser) -> None:
    """`--model`, `--device`, `--precision` and `--threads`, as `runtime.load.load_runtime` takes them."""
    parser.add_argument(
        "--model",
        type=model_file,
        default=IN_USE,
        metavar="FILE",
        help="model file (default: the one in use, see semc model list)",
    )
    parser.add_argument("--device", default="auto", choices=DEVICES)
    parser.add_argument(
        "--precision",
        default="auto",
        choices=PRECISIONS,
        help="what the network computes in (default: what the device and the model file are made for)",
    )
    parser.add_argument("--threads", type=count, help="most CPU threads of the model")


def positive(text: str) -> float:
    """A finite number above 0, for seconds, minutes and rates.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"{text!r} must be a number above 0")
    return value


def count(text: str) -> int:
    """A whole number, at least 1.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    if not (text.isdecimal() and int(text) >= 1):
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number, at least 1")
    return int(text)


def seed(text: str) -> int:
    """A whole number, 0 or more, that decides chance.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number, 0 or more")
    # The length first: Python makes no number of thousands of digits.
    if len(text.lstrip("0")) > len(str(_LARGEST_SEED)) or int(text) > _LARGEST_SEED:
        raise argparse.ArgumentTypeError(f"{text!r} is too large; the largest is {_LARGEST_SEED}")
    return int(text)


def model_file(text: str) -> Path:
    """A model file by its path; or `IN_USE`.

    Raises:
        argparse.ArgumentTypeError: The model in use is gone or changed.
    """
    if text != IN_USE:
        return Path(text)
    from semc_core.model.registry import current_model

    try:
        return current_model()
    except SemcError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def new_file(text: str) -> Path:
    """A file to write, in a folder that exists: known before the work, not after it.

    Raises:
        argparse.ArgumentTypeError: There is no such folder, or the name is a folder's.
    """
    path = Path(text)
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {path.parent}; make it first")
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"{path} is a folder; name a file in it")
    return path

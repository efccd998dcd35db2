"""How often a test split was looked at, by whatever model: each look makes the next one say less.

A line of `test_readings.log` in the user's folder is one look, by the split's keyed hash. What a model
answered is kept in the folder of its run, so that it is never shown the same test pictures twice.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from semc_core.errors import SaveError, UsageError
from semc_core.io.atomic import save_error, write_atomically
from semc_core.io.private import keep_private_file, make_private_folder
from semc_core.model.comparison import LOOKED_AT
from semc_core.model.file import TRAINING_PREFIX, VERIFY
from semc_core.model.spec import ModelSpec
from semc_core.paths import data_folder
from training.data.index import DataIndex
from training.held_out.learned_from import split_mark
from training.run_folder import make_folder

LOG_NAME: Final = "test_readings.log"
ANSWERS_NAME: Final = "test_answers.npz"
METRIC: Final = "test_readings"
"""In a model's metrics, and so in its card."""


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What a model said of the test pictures.

    Attributes:
        probabilities: float32 (N, K).
        readings: How often the pictures had been looked at then, this time included.
    """

    probabilities: NDArray[np.float32]
    readings: int


def count_reading(index: DataIndex) -> int:
    """Write down that the test split of `index` is looked at now.

    Returns:
        How often it was, this time included.

    Raises:
        SaveError: It cannot be written down.
    """
    folder = data_folder()
    try:
        pictures = split_mark(index)
        make_private_folder(folder)
        path = folder / LOG_NAME
        keep_private_file(path)
        # A line is appended in one piece, whoever else does so at the same time.
        with path.open("ab", buffering=0) as log:
            log.write(f"{pictures}\n".encode())
        return path.read_text(encoding="utf-8").splitlines().count(pictures)
    except OSError as error:
        raise save_error(folder, error) from error


def told_reading(index: DataIndex) -> str:
    """As `count_reading`, in words; where it cannot be written down, that is said."""
    try:
        return sentence(count_reading(index))
    except (SaveError, UsageError) as error:
        return f"It was not written down that the test pictures were looked at. {error}"


def sentence(readings: int) -> str:
    """What a number of readings means; "" for the first."""
    if readings < 2:
        return ""
    return LOOKED_AT.format(count=readings)


def identity(spec: ModelSpec, arrays: Mapping[str, NDArray[Any]], frames: NDArray[np.uint8]) -> str:
    """Tells one pair of model and pictures from another, whatever else the model's file says."""
    digest = hashlib.sha256(
        repr((spec.classes, asdict(spec.preprocessing), asdict(spec.calibration))).encode()
    )
    for name in sorted(arrays):
        if not name.startswith(TRAINING_PREFIX) and name not in VERIFY:
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    digest.update(repr(frames.shape).encode())
    for frame in frames:  # a large set lies on the disk
        digest.update(frame.tobytes())
    return digest.hexdigest()


def kept_answers(folder: Path | None, which: str) -> Answers | None:
    """The answers of this model to these pictures, if the folder of its run has them.

    Args:
        folder: Of the run; None for a model without one.
        which: See `identity`.
    """
    if folder is None:
        return None
    try:
        with (folder / ANSWERS_NAME).open("rb") as file, np.load(file, allow_pickle=False) as kept:
            if str(kept["which"]) != which:
                return None
            return Answers(np.asarray(kept["probabilities"], np.float32), int(kept["readings"]))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, EOFError):
        return None


def keep_answers(folder: Path, which: str, answers: Answers) -> None:
    """Keep them in the folder of the run.

    Raises:
        SaveError: They cannot be written.
    """
    content = io.BytesIO()
    np.savez_compressed(content, which=which, probabilities=answers.probabilities, readings=answers.readings)
    make_folder(folder)
    write_atomically(folder / ANSWERS_NAME, content.getvalue(), private=True)

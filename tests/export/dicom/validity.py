"""Whether a DICOM file keeps to the standard, by dciodvfy (dicom3tools) where that is installed."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from semc_core.errors import ExportError

_PROGRAM: Final = "dciodvfy"
_LONGEST_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Validity:
    """What the checker found, one line each, in its order.

    Attributes:
        errors: Where the object breaks the standard.
        warnings: What is allowed but uncommon.
    """

    errors: tuple[str, ...]
    warnings: tuple[str, ...]


def can_check() -> bool:
    """Whether dciodvfy is installed."""
    return shutil.which(_PROGRAM) is not None


def check_dicom(path: Path) -> Validity:
    """Check one DICOM file.

    Raises:
        ExportError: dciodvfy is not installed, or gave no answer.
    """
    program = shutil.which(_PROGRAM)
    if program is None:
        raise ExportError("dciodvfy is not installed; install dicom3tools to check DICOM files.")
    try:
        done = subprocess.run(
            [program, "-new", str(path)],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_LONGEST_S,
        )
    except subprocess.TimeoutExpired as error:
        raise ExportError("dciodvfy gave no answer; check the DICOM file by hand.") from error
    lines = (done.stderr + done.stdout).splitlines()
    errors = tuple(line for line in lines if line.startswith("Error"))
    if done.returncode and not errors:
        errors = (f"Error - dciodvfy could not read the file (exit code {done.returncode})",)
    return Validity(errors, tuple(line for line in lines if line.startswith("Warning")))

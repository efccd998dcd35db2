"""What training writes down to go on later. Read with `weights_only`: no pickled code is ever run."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch

from semc_core.errors import SaveError, UsageError


def write_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write tensors and plain values, whole or not at all.

    Raises:
        SaveError: The file cannot be written.
    """
    partial = path.with_suffix(".part")
    try:
        torch.save(state, partial)
        partial.replace(path)
    except OSError as error:
        raise SaveError(
            f"{path.name} could not be written ({error.strerror}); choose another folder."
        ) from error


def read_checkpoint(path: Path) -> dict[str, Any]:
    """What `write_checkpoint` wrote.

    Raises:
        UsageError: It is missing or damaged, or holds more than tensors and plain values.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, pickle.UnpicklingError, EOFError) as error:
        raise UsageError(f"{path} cannot be read as a checkpoint; start the training again.") from error
    if not isinstance(state, dict):
        raise UsageError(f"{path} is no checkpoint of ours; start the training again.")
    return state

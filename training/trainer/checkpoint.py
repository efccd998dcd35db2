"""What training writes down to go on later. Read with `weights_only`: no pickled code is ever run."""

from __future__ import annotations

import os
import pickle
import time
from pathlib import Path
from typing import Any

import torch

from semc_core.errors import UsageError
from semc_core.io.atomic import save_error

SAVE_EVERY_S = 30.0
"""Least time between two checkpoints that no validation asks for."""

TIMES_SAVING = 50.0
"""That time is also so many times what writing one takes."""


class SaveTimer:
    """Says when a checkpoint is due that no validation asks for."""

    def __init__(self) -> None:
        self._since_s, self._between_s = time.monotonic(), SAVE_EVERY_S

    def is_due(self) -> bool:
        """Whether the last one is long enough ago."""
        return time.monotonic() - self._since_s >= self._between_s

    def saved(self, took_s: float | None = None) -> None:
        """One was written; `took_s` if that says how long to wait for the next."""
        if took_s is not None:
            self._between_s = max(SAVE_EVERY_S, TIMES_SAVING * took_s)
        self._since_s = time.monotonic()


def write_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write tensors and plain values, whole or not at all.

    Raises:
        SaveError: The file cannot be written.
    """
    partial = path.with_name(f"{path.name}.part")
    try:
        with partial.open("wb") as out:
            torch.save(state, out)
            out.flush()
            os.fsync(out.fileno())
        partial.replace(path)
    except (OSError, RuntimeError) as error:
        partial.unlink(missing_ok=True)
        # PyTorch's writer hides a failed write behind an error of its own.
        cause = error if isinstance(error, OSError) else error.__context__
        if not isinstance(cause, OSError):
            raise
        raise save_error(path.parent, cause) from error


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

"""Checkpoints as other programs write them, small enough for tests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from semc_core.model.architecture import PRESETS, SONONET16, Preset, random_weights

RELEASED_CLASSES = ("FHP1", "FHP2", "LLP", "RLP", "LPV-S", "HRP", "NSP")

_THEIRS = (
    ("ace.", "edbc."),
    ("samc.0.context.expand.", "mscb.0.pconv1."),
    ("samc.0.context.fields.", "mscb.0.msdc.dwconvs."),
    ("samc.0.context.mix.", "mscb.0.pconv2."),
    ("samc.0.channel.", "cab."),
    ("samc.0.spatial.", "sab."),
    ("projection.", "conv_proj_heads.net."),
)


def shrink_released(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take a tiny network for the released one, whose checkpoints have 600 MB. The names stay the same."""
    released = PRESETS["semc_r50"]
    small = Preset(
        replace(released.architecture, layers=(1, 1, 1, 1), width=8, samc_expansion=2),
        replace(released.preprocessing, height=64, width=64),
    )
    monkeypatch.setitem(PRESETS, "semc_r50", small)


def released_checkpoint() -> dict[str, object]:
    """As the authors' code saves it."""
    return {"epoch": 3, "best_acc1": 0.5, "state_dict": released_state("module.")}


def released_state(prefix: str = "") -> dict[str, Tensor]:
    """Its weights: in parallel names, with a queue and parts that are never used."""
    weights = random_weights(PRESETS["semc_r50"].architecture, len(RELEASED_CLASSES))
    state = {
        prefix + _their_name(name): torch.from_numpy(value)
        for name, value in weights.items()
        if not name.startswith("gate.")
    }
    state[f"{prefix}bn1.num_batches_tracked"] = torch.tensor(7)
    state[f"{prefix}queue"] = torch.zeros(16, 128)
    state[f"{prefix}queue_ptr"] = torch.zeros(1, dtype=torch.int64)
    state[f"{prefix}fusion_convs.0.weight"] = torch.zeros(8, 8, 1, 1)
    state[f"{prefix}gate.gate.0.weight"] = torch.zeros(8, 8)
    return state


def sononet_checkpoint(classes: int = 14) -> dict[str, Tensor]:
    """An untrained SonoNet-16."""
    weights = random_weights(SONONET16.architecture, classes)
    # Inputs of 255 per standard deviation are tamed as in the trained one.
    weights["features.0.0.1.running_var"] *= np.float32(255**2)
    return {name: torch.from_numpy(value) for name, value in weights.items()}


def _their_name(name: str) -> str:
    for ours, theirs in _THEIRS:
        if name.startswith(ours):
            return theirs + name.removeprefix(ours)
    return name

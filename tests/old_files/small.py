"""The program with one preset more: so small that its model file and its checkpoint can be kept here.

`python -m tests.old_files.small train ...` is `semc train ...`.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Final

import main
from semc_core.model.architecture import PRESETS
from training.config import TRAIN_RECIPES, TrainRecipe
from training.losses.config import loss_recipe

PRESET: Final = "semc_smallest"


def add_preset() -> None:
    """`semc_tiny` with two channels, and a plain ResNet of it as what is trained unless one says otherwise.

    Trained by cross-entropy, since the queue of the others is larger than the network.
    """
    tiny, live = PRESETS["semc_tiny"], TRAIN_RECIPES["live"]
    PRESETS[PRESET] = replace(tiny, architecture=replace(tiny.architecture, preset=PRESET, width=2))
    losses = replace(loss_recipe("cross-entropy"), queue_size=16)
    options = replace(live.options, preset=PRESET, method="resnet", losses=losses, batch=8, validations=4)
    TRAIN_RECIPES["live"] = TrainRecipe(options)


if __name__ == "__main__":
    add_preset()
    sys.exit(main.main(sys.argv[1:]))

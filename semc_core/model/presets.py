"""Named architectures with the preprocessing that goes with them. No PyTorch here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from semc_core.errors import UsageError
from semc_core.model.spec import Architecture, ModelSpec, Preprocessing

_IMAGENET_MEAN: Final = (0.485, 0.456, 0.406)
_IMAGENET_STD: Final = (0.229, 0.224, 0.225)


@dataclass(frozen=True, slots=True)
class Preset:
    """A network and its input."""

    architecture: Architecture
    preprocessing: Preprocessing


PRESETS: Final[dict[str, Preset]] = {
    # Shipped: small enough for live video on half of two CPU cores. One block in stage 4, since there are
    # three of these stages and they hold most of the weights.
    "semc_live": Preset(
        Architecture("semc_live", layers=(2, 2, 2, 1), width=32, in_channels=1, samc_expansion=2),
        Preprocessing(160, 160, mean=(0.2,), std=(0.2,)),
    ),
    "semc_r18": Preset(
        Architecture("semc_r18", samc_expansion=2),
        Preprocessing(256, 256, mean=_IMAGENET_MEAN, std=_IMAGENET_STD),
    ),
    # As released, with the gate that the released code meant to have.
    "semc_r50": Preset(
        Architecture("semc_r50", block="bottleneck", layers=(3, 4, 6, 3), gate_input="deep"),
        Preprocessing(512, 512, fit="stretch", mean=(0.0,) * 3, std=(1.0,) * 3, clahe=True),
    ),
    # The equations to the letter; eq. 10 knows no expansion.
    "semc_r50_paper": Preset(
        Architecture(
            "semc_r50_paper",
            block="bottleneck",
            layers=(3, 4, 6, 3),
            ace_activation="paper",
            samc_expansion=1,
            samc_merge="concat",
            samc_residual=False,
            samc_shared=False,
        ),
        Preprocessing(512, 512, fit="stretch", mean=_IMAGENET_MEAN, std=_IMAGENET_STD),
    ),
    # For comparisons of many trainings on a CPU. At 96 pixels stage 4 has 3 x 3 cells, which SAMC needs.
    "semc_small": Preset(
        Architecture("semc_small", layers=(1, 1, 1, 1), width=16, in_channels=1, samc_expansion=2),
        Preprocessing(96, 96, mean=(0.2,), std=(0.2,)),
    ),
    # For tests.
    "semc_tiny": Preset(
        Architecture("semc_tiny", layers=(1, 1, 1, 1), width=8, in_channels=1, samc_expansion=2),
        Preprocessing(64, 64, mean=(0.2,), std=(0.2,)),
    ),
}

SONONET16: Final = Preset(
    Architecture("sononet16", width=16, in_channels=1, experts=1, gate_input="mean", kind="sononet"),
    Preprocessing(224, 288, mean=(0.0,), std=(1 / 255,), per_image=True),
)
"""The published fetal plane network (Baumgartner et al. 2017), to be imported, not trained.

Its inputs are 255 * (x - mean) / std, of each picture by itself.
"""


def find_preset(name: str) -> Preset:
    """The preset of that name.

    Raises:
        UsageError: There is none.
    """
    try:
        return PRESETS[name]
    except KeyError:
        raise UsageError(f"There is no preset {name!r}; choose one of {', '.join(PRESETS)}.") from None


def new_spec(preset: str, classes: Sequence[str]) -> ModelSpec:
    """The description of an untrained model.

    Raises:
        UsageError: There is no such preset.
    """
    found = find_preset(preset)
    return ModelSpec(found.architecture, tuple(classes), found.preprocessing)

"""How an encoder is pretrained. The defaults are AWCL's (arXiv 2208.10642, section 4.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from semc_core.errors import UsageError
from training.config import FitOptions, one_of

METHODS: Final = ("simclr", "awcl")
PARTNERS: Final = ("other", "same")


@dataclass(frozen=True, slots=True)
class PretrainOptions(FitOptions):
    """How an encoder is pretrained; `rate` is that of Adam, throughout.

    Attributes:
        method: "simclr" (eq. 1) or "awcl" (eq. 3).
        network: Whose encoder; one of `training.models.NETWORKS`. That of a plain ResNet can start SEMC
            too: its stage 4 goes to every expert.
        temperature: tau.
        anatomy_ratio: How often the anatomy of a labelled frame is used (section 6.4), 0-1; else the frame
            counts as unlabelled in that draw.
        partners: "other": the second view of a frame with a known anatomy is of another frame of that anatomy
            (algorithm 1). "same": it is of the same frame (as in AWCL's released code).

    Raises:
        UsageError: There is no such choice, or a number is out of range.
    """

    batch: int = 32
    rate: float = 1e-3
    weight_decay: float = 1e-6
    validations: int = 10
    recipe: str = "simclr"
    method: str = "simclr"
    network: str = "resnet"
    temperature: float = 0.5
    anatomy_ratio: float = 1.0
    partners: str = "other"

    def __post_init__(self) -> None:
        one_of("method", self.method, METHODS)
        FitOptions.__post_init__(self)
        one_of("partner", self.partners, PARTNERS)
        if self.batch < 2 or self.validations < 1 or (self.patience is not None and self.patience < 1):
            raise UsageError(
                "Pretraining needs two frames a step, one validation, and a patience of one or more."
            )
        if (
            self.rate <= 0
            or self.weight_decay < 0
            or self.temperature <= 0
            or not 0 <= self.anatomy_ratio <= 1
        ):
            raise UsageError(
                "The rate and the temperature must be above 0, weight decay 0 or more, the anatomy ratio 0-1."
            )

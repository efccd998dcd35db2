"""What a model file says of itself: everything that is needed to use it rightly. No PyTorch here.

Stored as JSON in the safetensors file's metadata under the key `semc` (see `model.file`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from semc_core.labels import NON_STANDARD

INPUT_SIDES: Final = range(32, 2049)
"""Rows or columns that a network's input may have."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """How the network is built (the paper's equations are cited in `model.network`).

    Attributes:
        preset: Name it was made from, "semc_live" for the shipped one.
        block: "basic" or "bottleneck", the residual block of the encoder.
        layers: Blocks in stages 1-4, as in torchvision's ResNets.
        width: Channels of stage 1 (64 in ResNet-18 and -50).
        in_channels: 1 (gray) or 3.
        experts: Number of stage-4 branches, 3 in the paper.
        ace_activation: "paper" (ReLU; eq. 5-6) or "released" (LeakyReLU 0.2, also after the point-wise
            convolution; none after the last).
        samc_expansion: Channel expansion in SAMC, 6 in the released code.
        samc_merge: "sum" or "concat" of the receptive fields (eq. 10).
        samc_residual: Whether SAMC adds its input.
        samc_shared: One SAMC for all experts, or one each.
        gate_input: "fused" (mean of O_i, paper), "deep" (mean of D_i, released code), or "mean": there is no
            trained gate, and every expert counts the same.
        gate_temperature: tau of eq. 16.
        kind: "semc", or "sononet" (Baumgartner et al. 2017; see `model.sononet`). Of a SonoNet only `width`
            (16, 32 or 64), `in_channels` and the single expert say anything.
        ace: Whether the shallow maps are added to the deep ones (eq. 5-7); without, M_i = D_i.
        samc: Whether there is SAMC (eq. 8-10); without, O_i = M_i. With neither and with one expert, this is
            a plain ResNet.
    """

    preset: str
    block: str = "basic"
    layers: tuple[int, int, int, int] = (2, 2, 2, 2)
    width: int = 64
    in_channels: int = 3
    experts: int = 3
    ace_activation: str = "released"
    samc_expansion: int = 6
    samc_merge: str = "sum"
    samc_residual: bool = True
    samc_shared: bool = True
    gate_input: str = "fused"
    gate_temperature: float = 1.0
    kind: str = "semc"
    ace: bool = True
    samc: bool = True


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How a frame becomes the network's input; the same in live, review, training and tests.

    Attributes:
        height: Input rows.
        width: Input columns.
        fit: "letterbox" (keep the shape, pad with black) or "stretch".
        mean: Subtracted after scaling to 0-1, one per channel.
        std: Divided by after that.
        clahe: Whether CLAHE (clip 2, 8x8 tiles) is applied to gray first, as in the released code.
        per_image: Whether each input is first brought to mean 0 and standard deviation 1 by itself, instead
            of being scaled to 0-1. An input of one colour becomes 0.
    """

    height: int
    width: int
    fit: str = "letterbox"
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    clahe: bool = False
    per_image: bool = False


@dataclass(frozen=True, slots=True)
class Calibration:
    """Turns logits into honest probabilities.

    p = softmax(logits / temperature); then a share s = sigmoid((novelty - 1) * novelty_slope) of every
    plane's probability is given to the class for "none of these". With `novelty_slope` 0 nothing is moved.
    The novelty itself is computed from the tensors `novelty.mean` (M, F), `novelty.whiten` (F, R) and
    `novelty.limit` () of the model file: the least over the M centres of the Mahalanobis distance of the
    pooled features, divided by the limit.
    """

    temperature: float = 1.0
    novelty_slope: float = 0.0


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When a plane counts as held. Times in seconds, so that the frame rate does not matter.

    Attributes:
        enter: Smoothed probability at which a hold begins.
        leave: Below this it ends; less than `enter`.
        min_hold_s: Shorter holds are not planes.
        smoothing_s: Time constant of the smoothing.
        merge_gap_s: A hold of the same plane that begins within this time of the last is the same hold.
    """

    enter: float = 0.8
    leave: float = 0.5
    min_hold_s: float = 0.5
    smoothing_s: float = 0.25
    merge_gap_s: float = 1.0


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Everything about a model but its weights.

    Attributes:
        architecture: See there.
        classes: Class names in the order of the outputs, K of them.
        preprocessing: See there.
        calibration: See there.
        thresholds: See there.
        notice: A sentence the window always shows ("Trained on simulated scans only ..."), or "".
        provenance: Where it came from: data, seeds, program version, date. Plain JSON values.
        metrics: Test metrics. Plain JSON values.
        sha256: Hash of the whole model file; "" for a spec that was not read from a file.
        none_class: Which of the classes says "none of these"; foreign models have their own name for it.
    """

    architecture: Architecture
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    calibration: Calibration = field(default_factory=Calibration)
    thresholds: Thresholds = field(default_factory=Thresholds)
    notice: str = ""
    provenance: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    sha256: str = ""
    none_class: str = NON_STANDARD

    @property
    def planes(self) -> tuple[str, ...]:
        """The classes that are standard planes, in the order of the outputs."""
        return tuple(name for name in self.classes if name != self.none_class)

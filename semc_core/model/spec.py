"""What a model file says of itself: everything that is needed to use it rightly. No PyTorch here.

Stored as JSON in the safetensors file's metadata under the key `semc` (see `model.file`).

`ModelSpec` to JSON and back, checked: a model file is not trusted to make sense.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Annotated, Final

from semc_core.errors import ModelFileError
from semc_core.imaging.preprocess import Preprocessing
from semc_core.io.documents import STRICT, Document, DocumentFault, configured
from semc_core.io.rules import Line, Name, PlainObject, one_of, told_as, within
from semc_core.labels import NON_STANDARD
from semc_core.language import _
from semc_core.model.presets import INPUT_SIDES, MIXTURE, ROUTINGS, TOP1
from semc_core.types import Thresholds

PRODUCT: Final = "product"
"""The fusion of SHIKE; see `Architecture`."""

EXPANSION: Final = {"basic": 1, "bottleneck": 4}
"""Output channels of a residual block per inner channel, as in torchvision."""


_Blocks = Annotated[int, within(1, 64)]


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
        fusion: How the shallow maps join the deep ones: "sum" (eq. 7), or "product", as in SHIKE.
        samc: Whether there is SAMC (eq. 8-10); without, O_i = M_i. With neither and with one expert, this is
            a plain ResNet.
        routing: "mixture" (eq. 16-17), or "top1": the gate sees the mean of F3, before the experts, and
            chooses the one whose answer counts, so that the others need not be run; `gate_input` says
            nothing then.
    """

    preset: Name
    block: Annotated[str, one_of(*EXPANSION)] = "basic"
    layers: tuple[_Blocks, _Blocks, _Blocks, _Blocks] = (2, 2, 2, 2)
    width: Annotated[int, within(1, 1024)] = 64
    in_channels: Annotated[int, one_of(1, 3)] = 3
    experts: Annotated[int, within(1, 16)] = 3
    ace_activation: Annotated[str, one_of("paper", "released")] = "released"
    samc_expansion: Annotated[int, within(1, 16)] = 6
    samc_merge: Annotated[str, one_of("sum", "concat")] = "sum"
    samc_residual: bool = True
    samc_shared: bool = True
    gate_input: Annotated[str, one_of("fused", "deep", "mean")] = "fused"
    gate_temperature: Annotated[float, within(above=0)] = 1.0
    kind: Annotated[str, one_of("semc", "sononet")] = "semc"
    ace: bool = True
    samc: bool = True
    routing: Annotated[str, one_of(*ROUTINGS)] = MIXTURE
    fusion: Annotated[str, one_of("sum", PRODUCT)] = "sum"


@dataclass(frozen=True, slots=True)
class Calibration:
    """Turns logits into honest probabilities.

    p = softmax(logits / temperature); then a share s = sigmoid((novelty - 1) * novelty_slope) of every
    plane's probability is given to the class for "none of these". With `novelty_slope` 0 nothing is moved.
    The novelty itself is computed from the tensors `novelty.mean` (M, F), `novelty.whiten` (F, R) and
    `novelty.limit` () of the model file: the least over the M centres of the Mahalanobis distance of the
    pooled features, divided by the limit. With `novelty_direction` only the features' direction counts: they
    are divided by their length first. With `novelty_planes` it is 0 of every picture whose surest plane is
    none of those: they are the planes that its centres were learned of.
    """

    temperature: float = 1.0
    novelty_slope: float = 0.0
    novelty_direction: bool = False
    novelty_planes: tuple[Name, ...] = ()


@configured(STRICT)
@dataclass(frozen=True, slots=True)
class Description:
    """What is written into a model file, but for the format's number; see `ModelSpec`."""

    architecture: Architecture
    classes: tuple[Name, ...]
    preprocessing: Preprocessing
    calibration: Calibration = field(default_factory=Calibration)
    thresholds: Thresholds = field(default_factory=Thresholds)
    notice: Line = ""
    provenance: PlainObject = field(default_factory=dict)
    metrics: PlainObject = field(default_factory=dict)
    none_class: Name = NON_STANDARD


@dataclass(frozen=True, slots=True)
class ModelSpec(Description):
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
        none_class: Which of the classes says "none of these"; foreign models have their own name for it.
        sha256: Hash of the whole model file; "" for a spec that was not read from a file.
    """

    sha256: str = ""

    @property
    def planes(self) -> tuple[str, ...]:
        """The classes that are standard planes, in the order of the outputs."""
        return tuple(name for name in self.classes if name != self.none_class)


FORMAT: Final = 1
"""Raised when a file of the new kind would be misread by an older program."""


@dataclass(frozen=True, slots=True)
class StoredDescription(Description):
    """What is stored, with the format's number."""

    format: Annotated[int, one_of(FORMAT), told_as(f"must be {FORMAT}, which this program reads")] = field(
        kw_only=True
    )


DESCRIPTION: Final = Document(StoredDescription)


def spec_to_json(spec: ModelSpec) -> str:
    """One line of JSON with the format number. The hash is left out: it is the file's own.

    Raises:
        ModelFileError: The spec contradicts itself, or its provenance or metrics are not plain JSON values.
    """
    data = asdict(spec)
    del data["sha256"]
    try:
        text = json.dumps({"format": FORMAT, **data}, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ModelFileError(
            _(
                "The model's description cannot be written as JSON ({reason}); use plain, finite values.",
                reason=error,
            )
        ) from error
    spec_from_json(text)
    return text


def spec_from_json(text: str) -> ModelSpec:
    """The spec that `text` describes, with an empty `sha256`.

    Raises:
        ModelFileError: Not JSON, another format, a field missing, unknown or of the wrong kind, or a spec
            that contradicts itself. The message is part of a sentence: "its description ...".
    """
    try:
        stored = DESCRIPTION.parse(text)
    except DocumentFault as fault:
        raise ModelFileError(_("its description is wrong: {reason}", reason=fault)) from fault
    spec = ModelSpec(**{each.name: getattr(stored, each.name) for each in fields(Description)})
    check_spec(spec)
    return spec


def check_spec(spec: ModelSpec) -> None:
    """Hold the values of `spec` against each other.

    Raises:
        ModelFileError: They contradict each other or are out of range.
    """
    if spec.architecture.kind == "sononet" and spec.architecture.experts != 1:
        raise ModelFileError(_("its architecture is a SonoNet, which has no experts to choose from"))
    if spec.architecture.routing == TOP1 and spec.architecture.experts < 2:
        raise ModelFileError(_("its architecture chooses one of several experts and has but one"))
    if (
        len(set(spec.classes)) != len(spec.classes)
        or spec.none_class not in spec.classes
        or len(spec.classes) < 2
    ):
        raise ModelFileError(
            _(
                "its classes must be different, two at least, and one of them {label}",
                label=spec.none_class[:40],
            )
        )
    if NON_STANDARD in spec.planes:
        raise ModelFileError(_("its class {label} must be the one for none of these", label=NON_STANDARD))
    _check_preprocessing(spec.preprocessing, spec.architecture.in_channels)
    if not set(spec.calibration.novelty_planes) <= set(spec.planes):
        raise ModelFileError(_("its novelty is of planes that it does not have"))
    _check_numbers(spec.calibration, spec.thresholds)


def _check_preprocessing(p: Preprocessing, channels: int) -> None:
    if p.height not in INPUT_SIDES or p.width not in INPUT_SIDES:
        raise ModelFileError(
            _("its input of {height} x {width} pixels is not within 32-2048", height=p.height, width=p.width)
        )
    if p.fit not in ("letterbox", "stretch"):
        raise ModelFileError(
            _("its preprocessing has fit = {fit}, which does not exist", fit=repr(p.fit[:40]))
        )
    if len(p.mean) != channels or len(p.std) != channels or not all(value > 0 for value in p.std):
        raise ModelFileError(
            _("its mean and std must have {channels} values each, std above 0", channels=channels)
        )


def _check_numbers(calibration: Calibration, t: Thresholds) -> None:
    if not calibration.temperature > 0 or not calibration.novelty_slope >= 0:
        raise ModelFileError(_("its calibration must have a temperature above 0 and a slope of 0 or more"))
    if not 0 <= t.leave < t.enter <= 1:
        raise ModelFileError(_("its thresholds must keep 0 <= leave < enter <= 1"))
    if min(t.min_hold_s, t.smoothing_s, t.merge_gap_s) < 0:
        raise ModelFileError(_("its thresholds have a negative time"))

"""What a model file says of itself: everything that is needed to use it rightly. No PyTorch here.

Stored as JSON in the safetensors file's metadata under the key `semc` (see `model.file`).

`ModelSpec` to JSON and back, checked: a model file is not trusted to make sense. No PyTorch here.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from types import UnionType
from typing import Any, Final, TypeVar, get_args, get_origin, get_type_hints

from semc_core.errors import ModelFileError
from semc_core.imaging.preprocess import Preprocessing
from semc_core.labels import NON_STANDARD
from semc_core.types import Thresholds

EXPANSION: Final = {"basic": 1, "bottleneck": 4}
"""Output channels of a residual block per inner channel, as in torchvision."""


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


FORMAT: Final = 1
"""Raised when a file of the new kind would be misread by an older program."""

_T = TypeVar("_T")

_CHOICES: Final[dict[str, Callable[[Any], bool]]] = {
    "block": lambda value: value in EXPANSION,
    "layers": lambda value: all(1 <= blocks <= 64 for blocks in value),
    "width": lambda value: 1 <= value <= 1024,
    "in_channels": lambda value: value in (1, 3),
    "experts": lambda value: 1 <= value <= 16,
    "ace_activation": lambda value: value in ("paper", "released"),
    "samc_expansion": lambda value: 1 <= value <= 16,
    "samc_merge": lambda value: value in ("sum", "concat"),
    "gate_input": lambda value: value in ("fused", "deep", "mean"),
    "gate_temperature": lambda value: value > 0,
    "kind": lambda value: value in ("semc", "sononet"),
}


def spec_to_json(spec: ModelSpec) -> str:
    """One line of JSON with the format number. The hash is left out: it is the file's own.

    Raises:
        ModelFileError: The spec contradicts itself, or its provenance or metrics are not plain JSON values.
    """
    check_spec(spec)
    data = asdict(spec)
    del data["sha256"]
    try:
        return json.dumps({"format": FORMAT, **data}, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ModelFileError(
            f"The model's description cannot be written as JSON ({error}); use plain, finite values."
        ) from error


def spec_from_json(text: str) -> ModelSpec:
    """The spec that `text` describes, with an empty `sha256`.

    Raises:
        ModelFileError: Not JSON, another format, a field missing, unknown or of the wrong kind, or a spec
            that contradicts itself. The message is part of a sentence: "its description ...".
    """
    try:
        data = json.loads(text, parse_constant=_no_constant)
    except ValueError as error:
        raise ModelFileError("its description is not valid JSON") from error
    if not isinstance(data, dict):
        raise ModelFileError("its description is not a JSON object")
    number = data.pop("format", None)
    if number != FORMAT or isinstance(number, bool):
        raise ModelFileError(f"its format is {number!r} and this program reads format {FORMAT}")
    if "sha256" in data:
        raise ModelFileError("its description has the unknown field 'sha256'")
    spec = _build(ModelSpec, data, "")
    check_spec(spec)
    return spec


def check_spec(spec: ModelSpec) -> None:
    """Hold the values of `spec` against each other.

    Raises:
        ModelFileError: They contradict each other or are out of range.
    """
    for name, allowed in _CHOICES.items():
        value = getattr(spec.architecture, name)
        if not allowed(value):
            raise ModelFileError(f"its architecture has {name} = {value!r}, which does not exist")
    if spec.architecture.kind == "sononet" and spec.architecture.experts != 1:
        raise ModelFileError("its architecture is a SonoNet, which has no experts to choose from")
    if (
        len(set(spec.classes)) != len(spec.classes)
        or spec.none_class not in spec.classes
        or len(spec.classes) < 2
    ):
        raise ModelFileError(
            f"its classes must be different, two at least, and one of them {spec.none_class}"
        )
    if NON_STANDARD in spec.planes:
        raise ModelFileError(f"its class {NON_STANDARD} must be the one for none of these")
    _check_preprocessing(spec.preprocessing, spec.architecture.in_channels)
    _check_numbers(spec.calibration, spec.thresholds)


def _check_preprocessing(p: Preprocessing, channels: int) -> None:
    if p.height not in INPUT_SIDES or p.width not in INPUT_SIDES:
        raise ModelFileError(f"its input of {p.height} x {p.width} pixels is not within 32-2048")
    if p.fit not in ("letterbox", "stretch"):
        raise ModelFileError(f"its preprocessing has fit = {p.fit!r}, which does not exist")
    if len(p.mean) != channels or len(p.std) != channels or not all(value > 0 for value in p.std):
        raise ModelFileError(f"its mean and std must have {channels} values each, std above 0")


def _check_numbers(calibration: Calibration, t: Thresholds) -> None:
    if not calibration.temperature > 0 or not calibration.novelty_slope >= 0:
        raise ModelFileError("its calibration must have a temperature above 0 and a slope of 0 or more")
    if not 0 <= t.leave < t.enter <= 1:
        raise ModelFileError("its thresholds must keep 0 <= leave < enter <= 1")
    if min(t.min_hold_s, t.smoothing_s, t.merge_gap_s) < 0:
        raise ModelFileError("its thresholds have a negative time")


def _build(kind: type[_T], data: dict[str, Any], where: str) -> _T:
    """An instance of the dataclass `kind` from parsed JSON; fields with a default may be missing."""
    assert is_dataclass(kind)
    hints = get_type_hints(kind)
    known = {item.name for item in fields(kind)}
    for name in data:
        if name not in known:
            raise ModelFileError(f"its description has the unknown field {where + name!r}")
    values = {name: _value(hints[name], value, where + name) for name, value in data.items()}
    try:
        return kind(**values)
    except TypeError as error:
        missing = sorted(known - set(data))
        raise ModelFileError(f"its description lacks one of {', '.join(missing)}") from error


def _value(hint: Any, value: Any, where: str) -> Any:
    """`value` as `hint` asks for it. An int is taken for a float, never a bool for a number."""
    assert not isinstance(hint, UnionType)
    fault = ModelFileError(f"its description has a wrong value for {where!r}")
    if is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(value, dict):
            raise fault
        return _build(hint, value, f"{where}.")
    origin, inner = get_origin(hint), get_args(hint)
    if origin is tuple:
        if not isinstance(value, list) or (inner[-1] is not Ellipsis and len(value) != len(inner)):
            raise fault
        return tuple(_value(inner[0], item, where) for item in value)
    if origin is dict:
        if not isinstance(value, dict):
            raise fault
        return value
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise fault
    return value


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")

"""`ModelSpec` to JSON and back, checked: a model file is not trusted to make sense. No PyTorch here."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, fields, is_dataclass
from types import UnionType
from typing import Any, Final, TypeVar, get_args, get_origin, get_type_hints

from semc_core.errors import ModelFileError
from semc_core.labels import NON_STANDARD
from semc_core.model.architecture import EXPANSION
from semc_core.model.spec import INPUT_SIDES, Calibration, ModelSpec, Preprocessing, Thresholds

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

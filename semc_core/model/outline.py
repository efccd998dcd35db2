"""The network that finds a head's outline, without PyTorch: its shape, its file, and what was fitted with it.

A small U-Net. Level 0 works at half of the input's rows and columns, each further level at half of the level
before. `runtime.openvino.outline` builds its graph, `training.measure.network` is the same in PyTorch.

Shapes: C channels of a level.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from semc_core.errors import ModelFileError, SaveError
from semc_core.imaging.preprocess import Preprocessing
from semc_core.io.atomic import write_atomically
from semc_core.io.documents import Document, DocumentFault
from semc_core.language import _
from semc_core.model.file import metadata_of, read_bytes, tensors_of

METADATA_KEY: Final = "semc_outline"
CONVOLUTIONS: Final = 2
"""In each level, on the way down and on the way up."""

Arrays = dict[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class OutlineSpec:
    """What an outline model's file says of itself.

    Attributes:
        height: Input rows.
        width: Input columns. A picture is fitted in by a letterbox, whole.
        channels: C of each level, the finest first.
        presence: Least probability of a head with which one is measured.
        agreement: Least overlap (intersection over union) of the mask with the ellipse fitted to it.
        error: Of 90 of 100 held-out heads the circumference was less than this share of itself off.
        notice: For the user.
        sha256: Of the file; "" before there is one.
    """

    height: int = 192
    width: int = 256
    channels: tuple[int, ...] = (16, 32, 64, 96, 128)
    presence: float = 0.9
    agreement: float = 0.9
    error: float = 0.05
    notice: str = ""
    sha256: str = ""

    def __post_init__(self) -> None:
        """Raises ValueError where a network cannot be made of it."""
        cells = 2 ** len(self.channels)
        if not 2 <= len(self.channels) <= 8 or not all(1 <= each <= 1024 for each in self.channels):
            raise ValueError("its channels are no network's")
        for side in (self.height, self.width):
            if side % cells or not cells <= side <= 2048:
                raise ValueError(f"its input must have a multiple of {cells} rows and columns, 2048 at most")
        shares = (self.presence, self.agreement, self.error)
        if not all(math.isfinite(each) and 0 < each < 1 for each in shares):
            raise ValueError("its limits must lie between 0 and 1")

    @property
    def preprocessing(self) -> Preprocessing:
        """How a picture becomes the input."""
        return Preprocessing(self.height, self.width)


SPEC: Final = Document(OutlineSpec, most_bytes=100_000)


def down_channels(spec: OutlineSpec, level: int, index: int) -> tuple[int, int]:
    """Input and output channels of convolution `index` of a level, on the way down."""
    before = (1, *spec.channels)[level] if index == 0 else spec.channels[level]
    return before, spec.channels[level]


def up_channels(spec: OutlineSpec, level: int, index: int) -> tuple[int, int]:
    """The same on the way up: the first sees the coarser level beside its own."""
    own = spec.channels[level]
    return (spec.channels[level + 1] + own if index == 0 else own), own


def tensor_shapes(spec: OutlineSpec) -> dict[str, tuple[int, ...]]:
    """Every tensor of the network by its name in PyTorch."""
    shapes: dict[str, tuple[int, ...]] = {}
    levels = range(len(spec.channels))
    for index in range(CONVOLUTIONS):
        for level in levels:
            shapes |= _block(f"down.{level}.{index}", *down_channels(spec, level, index))
        for level in levels[:-1]:
            shapes |= _block(f"up.{level}.{index}", *up_channels(spec, level, index))
    return shapes | {
        "mask.weight": (1, spec.channels[0], 1, 1),
        "mask.bias": (1,),
        "presence.weight": (1, 2 * spec.channels[-1]),
        "presence.bias": (1,),
    }


def _block(name: str, before: int, after: int) -> dict[str, tuple[int, ...]]:
    norm = {f"{name}.1.{part}": (after,) for part in ("weight", "bias", "running_mean", "running_var")}
    return {f"{name}.0.weight": (after, before, 3, 3), **norm}


def write_outline(path: Path, spec: OutlineSpec, tensors: Mapping[str, NDArray[Any]]) -> None:
    """Write an outline model, whole or not at all; its `sha256` is ignored.

    Raises:
        ModelFileError: The tensors do not fit, or the file cannot be written.
    """
    arrays = {name: np.array(tensors[name], np.float32, order="C") for name in tensor_shapes(spec)}
    _check(spec, arrays)
    text = json.dumps({name: value for name, value in asdict(spec).items() if name != "sha256"})
    content = safetensors.numpy.save(arrays, {METADATA_KEY: text})
    try:
        write_atomically(path, content)
    except SaveError as error:
        raise ModelFileError(
            _("The model file {name} was not written. {reason}", name=path.name, reason=error)
        ) from error


def read_outline(path: Path) -> tuple[OutlineSpec, Arrays]:
    """An outline model's description and tensors.

    Raises:
        ModelFileError: The file is missing, damaged, or no outline model.
    """
    content = read_bytes(path)
    try:
        text = metadata_of(content).get(METADATA_KEY)
        if text is None:
            raise ModelFileError(_("it holds no network that finds outlines"))
        spec = replace(_spec(text), sha256=hashlib.sha256(content).hexdigest())
        arrays = tensors_of(content)
        _check(spec, arrays)
    except ModelFileError as error:
        raise ModelFileError(
            _(
                "{name} cannot be used to find outlines because {reason}; install the program again.",
                name=path.name,
                reason=error,
            )
        ) from error
    return spec, arrays


def _spec(text: str) -> OutlineSpec:
    try:
        return SPEC.parse(text)
    except DocumentFault as fault:
        raise ModelFileError(_("its description is damaged: {reason}", reason=fault)) from fault


def _check(spec: OutlineSpec, arrays: Mapping[str, NDArray[np.float32]]) -> None:
    expected = tensor_shapes(spec)
    if arrays.keys() != expected.keys():
        raise ModelFileError(_("its tensors are not those that it describes"))
    for name, shape in expected.items():
        if arrays[name].shape != shape:
            raise ModelFileError(
                _(
                    "the tensor {name} has the shape {shape} and not {wanted}",
                    name=name,
                    shape=arrays[name].shape,
                    wanted=shape,
                )
            )
        if not np.isfinite(arrays[name]).all():
            raise ModelFileError(_("the tensor {name} has values that are not finite", name=name))

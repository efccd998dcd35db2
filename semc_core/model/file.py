"""The model file: one safetensors file with the weights and, in its metadata, the `ModelSpec`.

No PyTorch here.

Tensors carry their state-dict names (`architecture.tensor_shapes`), float32. Beside them there may be
`novelty.mean` (M, F), `novelty.whiten` (F, R) and `novelty.limit` () (see `Calibration`), all three or none,
with F the pooled features (`architecture.feature_channels`); `verify.inputs` (N, C, H, W) and `verify.logits`
(N, K), both or none, from which `semc model verify` sees whether a runtime gives what the network gave when
the file was made; tensors whose names begin with `int8.`, from which it runs in int8 (see
`runtime.openvino.runtime`), with `verify.int8` (N, K), the logits that it gave so; and tensors whose names
begin with `training.`, which only `training` reads.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import SafetensorError

from semc_core.errors import ModelFileError, SaveError
from semc_core.io.atomic import write_atomically
from semc_core.io.documents import STRICT, Document, DocumentFault, field_name
from semc_core.io.regular import read_regular
from semc_core.io.rules import told_as
from semc_core.language import _
from semc_core.model.architecture import feature_channels, tensor_shapes
from semc_core.model.spec import ModelSpec, spec_from_json, spec_to_json

METADATA_KEY: Final = "semc"
_METADATA: Final = "__metadata__"
NOVELTY: Final = ("novelty.mean", "novelty.whiten", "novelty.limit")
VERIFY: Final = ("verify.inputs", "verify.logits")
INT8_PREFIX: Final = "int8."
TRAINING_PREFIX: Final = "training."
VERIFY_INT8: Final = "verify.int8"

Arrays = dict[str, NDArray[np.float32]]


def write_model(path: Path, spec: ModelSpec, tensors: Mapping[str, NDArray[Any]]) -> None:
    """Write a model file, whole or not at all. What could not be read back is not written.

    Args:
        path: A file there is replaced in one step.
        spec: Its `sha256` is ignored.
        tensors: By name; stored as float32.

    Raises:
        ModelFileError: The spec or the tensors do not fit together, or the file cannot be written.
    """
    try:
        metadata = {METADATA_KEY: spec_to_json(spec)}
        arrays = {name: np.array(value, dtype=np.float32, order="C") for name, value in tensors.items()}
        _check_tensors(spec, arrays)
    except ModelFileError as error:
        raise ModelFileError(
            _("{name} was not written because {reason}.", name=path.name, reason=error)
        ) from error
    content = safetensors.numpy.save(arrays, metadata)
    try:
        write_atomically(path, content)
    except SaveError as error:
        raise ModelFileError(
            _("The model file {name} was not written. {reason}", name=path.name, reason=error)
        ) from error


def read_spec(path: Path) -> ModelSpec:
    """What a model file says of itself; the weights are only hashed.

    Raises:
        ModelFileError: The file is missing, damaged, or not one of ours.
    """
    content = read_bytes(path)
    try:
        return _spec_of(content)
    except ModelFileError as error:
        raise _refused(path, error) from error


def read_model(path: Path) -> tuple[ModelSpec, Arrays]:
    """A model file's description and its tensors by name, float32.

    Raises:
        ModelFileError: The file is missing, damaged, not one of ours, or its tensors do not fit its
            description.
    """
    content = read_bytes(path)
    try:
        spec = _spec_of(content)
        arrays = tensors_of(content)
        _check_tensors(spec, arrays)
    except ModelFileError as error:
        raise _refused(path, error) from error
    return spec, arrays


def _refused(path: Path, error: ModelFileError) -> ModelFileError:
    return ModelFileError(
        _(
            "{name} cannot be used as a model because {reason}; choose another model file.",
            name=path.name,
            reason=error,
        )
    )


def read_bytes(path: Path) -> bytes:
    """The content of a model file. Raises ModelFileError, in a sentence, where it cannot be read."""
    try:
        return read_regular(path)
    except FileNotFoundError as error:
        raise ModelFileError(_("There is no model file {path}; check the name.", path=path)) from error
    except OSError as error:
        raise ModelFileError(
            _(
                "The model file {name} could not be read ({reason}); choose one that you may read.",
                name=path.name,
                reason=error.strerror,
            )
        ) from error


@dataclass(frozen=True, slots=True)
class _Tensor:
    """What a header says of one tensor; its bytes lie between the offsets, after the header."""

    dtype: str
    shape: tuple[int, ...]
    data_offsets: tuple[int, int]


HEADER: Final[Document[dict[str, _Tensor | dict[str, str]]]] = Document(
    dict[str, Annotated[_Tensor | dict[str, str], told_as("must say type, shape and place of a tensor")]],
    config=STRICT,
)
"""Of a safetensors file: its tensors by name, and under `__metadata__` texts of whoever wrote it."""


def _spec_of(content: bytes) -> ModelSpec:
    text = metadata_of(content).get(METADATA_KEY)
    if text is None:
        raise ModelFileError(_("it holds weights but no description of a model of this program"))
    return replace(spec_from_json(text), sha256=hashlib.sha256(content).hexdigest())


def metadata_of(content: bytes) -> dict[str, str]:
    """The texts that whoever wrote a safetensors file left in it.

    Raises:
        ModelFileError: It is none, or damaged.
    """
    found = _header(content).get(_METADATA)
    return found if isinstance(found, dict) else {}


def _header(content: bytes) -> dict[str, _Tensor | dict[str, str]]:
    """The JSON header of a safetensors file: 8 bytes of length, little endian, then that many of JSON."""
    if len(content) < 8:
        raise ModelFileError(_("it is not a safetensors file"))
    (length,) = struct.unpack_from("<Q", content)
    if length < 2 or content[8:9] != b"{":
        raise ModelFileError(_("it is not a safetensors file"))
    if 8 + length > len(content):
        raise ModelFileError(_("it is cut short"))
    try:
        header = HEADER.parse(content[8 : 8 + length])
    except DocumentFault as fault:
        raise ModelFileError(_("its header is damaged: {reason}", reason=fault)) from fault
    _check_length(header, len(content) - 8 - length)
    return header


def _check_length(header: Mapping[str, _Tensor | dict[str, str]], length: int) -> None:
    """Whether the weights, `length` bytes, are all there."""
    end = 0
    for name, entry in header.items():
        if isinstance(entry, _Tensor):
            end = max(end, entry.data_offsets[1])
        elif name != _METADATA:
            raise ModelFileError(
                _("its header is damaged: it has no tensor {name}", name=field_name((name,)))
            )
    if end != length:
        raise ModelFileError(_("it is cut short"))


def tensors_of(content: bytes) -> Arrays:
    """The tensors of a safetensors file. Raises ModelFileError where one is damaged or not float32."""
    try:
        loaded = safetensors.numpy.load(content)
    except (SafetensorError, KeyError, ValueError) as error:
        # KeyError: a number type that numpy does not have.
        raise ModelFileError(_("its weights are damaged or cut short")) from error
    for name, array in loaded.items():
        if array.dtype != np.float32:
            raise ModelFileError(
                _("its tensor {name} is {kind} and not float32", name=name, kind=array.dtype)
            )
    return loaded


def _check_tensors(spec: ModelSpec, arrays: Mapping[str, NDArray[np.float32]]) -> None:
    """Hold names, shapes and values against the architecture."""
    expected = tensor_shapes(spec.architecture, len(spec.classes))
    for name in arrays:
        known = name in (*expected, *NOVELTY, *VERIFY, VERIFY_INT8)
        if not known and not name.startswith((INT8_PREFIX, TRAINING_PREFIX)):
            raise ModelFileError(_("it has the unknown tensor {name}", name=name))
    for name, shape in expected.items():
        if name not in arrays:
            raise ModelFileError(_("the tensor {name} is missing", name=name))
        if arrays[name].shape != shape:
            raise ModelFileError(
                _(
                    "the tensor {name} has the shape {shape} and not {wanted}",
                    name=name,
                    shape=arrays[name].shape,
                    wanted=shape,
                )
            )
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ModelFileError(_("the tensor {name} has values that are not finite", name=name))
        if name.endswith("running_var") and name in expected and array.min() < 0:
            raise ModelFileError(_("the tensor {name} has a negative variance", name=name))
    _check_novelty(arrays, feature_channels(spec.architecture), spec.calibration.novelty_slope)
    _check_verify(arrays, spec)


def _check_novelty(arrays: Mapping[str, NDArray[np.float32]], features: int, slope: float) -> None:
    present = [name for name in NOVELTY if name in arrays]
    if not present:
        if slope > 0:
            raise ModelFileError(_("its calibration uses a novelty that it does not hold"))
        return
    if len(present) < len(NOVELTY):
        raise ModelFileError(
            _("it has {tensor} but not all of {tensors}", tensor=present[0], tensors=", ".join(NOVELTY))
        )
    mean, whiten, limit = (arrays[name] for name in NOVELTY)
    fits = mean.ndim == 2 and whiten.ndim == 2 and limit.ndim == 0 and mean.shape[0] > 0
    if not fits or mean.shape[1] != features or whiten.shape[0] != features:
        raise ModelFileError(
            _("its novelty tensors must be (M, {features}), ({features}, R) and ()", features=features)
        )
    if not limit > 0:
        raise ModelFileError(_("its novelty.limit must be above 0"))


def _check_verify(arrays: Mapping[str, NDArray[np.float32]], spec: ModelSpec) -> None:
    if not any(name in arrays for name in VERIFY):
        return
    if not all(name in arrays for name in VERIFY):
        raise ModelFileError(_("it has not both of {tensors}", tensors=" and ".join(VERIFY)))
    inputs, logits = (arrays[name] for name in VERIFY)
    count, p = len(logits) if logits.ndim else 0, spec.preprocessing
    wanted = (count, spec.architecture.in_channels, p.height, p.width)
    if not count or inputs.shape != wanted or logits.shape != (count, len(spec.classes)):
        raise ModelFileError(
            _("its {tensors} do not fit its input and classes", tensors=" and ".join(VERIFY))
        )
    if VERIFY_INT8 in arrays and arrays[VERIFY_INT8].shape != logits.shape:
        raise ModelFileError(_("its {tensor} does not fit its {other}", tensor=VERIFY_INT8, other=VERIFY[1]))

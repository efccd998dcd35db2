"""Write a model file's network as ONNX, with what one must know to use it, once it was seen to give the same.

Shapes: N pictures, C channels, H x W input pixels.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

from semc_core.errors import RuntimeFault, UsageError
from semc_core.io.atomic import write_atomically
from semc_core.io.documents import plain_values
from semc_core.model.catalogue import named_models
from semc_core.model.file import VERIFY, read_model
from semc_core.model.spec import ModelSpec
from semc_core.runtime.onnx.compare import largest_difference
from semc_core.runtime.onnx.translate import OPSET, onnx_graph
from semc_core.runtime.openvino.calibrated import calibrated_graph
from semc_core.text import counted
from semc_core.version import VERSION

LIMIT: Final = 1e-4
"""Largest difference between ONNX Runtime and this program's own that is written."""
MOST_AT_ONCE: Final = 256
"""Pictures of a batch."""

_IR_VERSION: Final = 10
"""Of the file format; what reads `OPSET` reads it."""
_NOT_SAID: Final = "not said"
_NOISE: Final = 2
"""Pictures of noise to compare with, beside those of the model file."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a model is called where it goes.

    Attributes:
        name: As in `semc model list`, or as its file.
        version: Of a model that came with the program, the program's; of one of the user's, its number; else
            "", and the hash alone says which it is.
        licence: As an SPDX name, or in words.
    """

    name: str
    version: str
    licence: str


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    Attributes:
        outputs: Name and shape of each output.
        metadata: As in the file.
        pictures: With how many it was compared.
        difference: The largest that was found, see `compare`.
    """

    outputs: dict[str, tuple[int, ...]]
    metadata: dict[str, str]
    pictures: int
    difference: float


def export_onnx(path: Path, out: Path, licence: str | None = None, batch: int = 1) -> Exported:
    """Write the network of a model file, in float32, with its calibration, as ONNX.

    Args:
        path: The model file.
        out: The file to write, its name ending in .onnx; one that is there is replaced.
        licence: Of the weights; None for what the model file says.
        batch: How many pictures the graph takes at once.

    Raises:
        ModelFileError: The model file cannot be used.
        RuntimeFault: The network cannot be written in ONNX, or does not give there what it gives here.
        SaveError: The file cannot be written.
        UsageError: The name does not end in .onnx, or the batch is none.
    """
    if out.suffix.lower() != ".onnx":
        raise UsageError(f"{out.name} is not the name of an ONNX file; let it end in .onnx.")
    if not 1 <= batch <= MOST_AT_ONCE:
        raise UsageError(f"A batch has 1 to {MOST_AT_ONCE} pictures, not {batch}; give another --batch.")
    spec, arrays = read_model(path)
    identity = identity_of(path, spec, licence)
    graph = calibrated_graph(spec, arrays, batch)
    metadata = metadata_of(spec, identity)
    content = _file(onnx_graph(graph, identity.name), spec, metadata)
    pictures = _pictures(spec, arrays.get(VERIFY[0]), batch)
    difference = largest_difference(content, path, pictures, batch)
    if not difference <= LIMIT:
        raise RuntimeFault(
            f"{out.name} was not written: in ONNX Runtime the network differs by {difference:.1e} from this "
            f"program, and at most {LIMIT:.0e} is allowed. Report this, with the model."
        )
    write_atomically(out, content)
    shapes = {_name(port): tuple(port.get_shape()) for port in graph.outputs}
    return Exported(shapes, metadata, len(pictures), difference)


def identity_of(path: Path, spec: ModelSpec, licence: str | None) -> Identity:
    """What a model is called, and under which licence its weights are, as far as that is known."""
    said = spec.provenance.get("licence")
    told = licence or (said if isinstance(said, str) and said else None)
    known = next((one for one in named_models() if one.path == path), None)
    if known is None:
        return Identity(path.stem, "", told or _NOT_SAID)
    if known.version is None:
        return Identity(
            known.name, VERSION, told or "Apache-2.0"
        )  # a part of this program, under its licence
    return Identity(known.name, str(known.version.number), told or _NOT_SAID)


def metadata_of(spec: ModelSpec, identity: Identity) -> dict[str, str]:
    """The texts in the ONNX file: plain, or JSON where they are more than a text."""
    plain: dict[str, Any] = {
        "name": identity.name,
        "version": identity.version,
        "licence": identity.licence,
        "program": f"SEMC Live {VERSION}",
        **plain_values(spec),
    }
    return {key: each if isinstance(each, str) else json.dumps(each) for key, each in plain.items()}


def _file(graph: onnx.GraphProto, spec: ModelSpec, metadata: dict[str, str]) -> bytes:
    model = helper.make_model(
        graph,
        producer_name="SEMC Live",
        producer_version=VERSION,
        doc_string=spec.notice,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=_IR_VERSION,
    )
    helper.set_model_props(model, metadata)
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise RuntimeFault(f"The network is not valid as ONNX ({error}); report this.") from error
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def _pictures(spec: ModelSpec, stored: NDArray[np.float32] | None, batch: int) -> NDArray[np.float32]:
    """Inputs to compare with, (N, C, H, W), whole batches: of the model file, noise, and all zero."""
    p = spec.preprocessing
    size = spec.architecture.in_channels, p.height, p.width
    noise = np.random.default_rng(0).normal(size=(_NOISE, *size)).astype(np.float32)
    parts = [noise, np.zeros((1, *size), np.float32)]
    pictures = np.concatenate(parts if stored is None else [stored, *parts])
    missing = -len(pictures) % batch
    return np.concatenate([pictures, pictures[np.arange(missing) % len(pictures)]])


def _name(port: Any) -> str:
    (name,) = port.get_names()
    return str(name)


def sentence(done: Exported) -> str:
    """How the comparison went."""
    return (
        f"ONNX Runtime and this program differ by {done.difference:.1e} at most in "
        f"{counted(done.pictures, 'picture')} (allowed: {LIMIT:.0e})."
    )

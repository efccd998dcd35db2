"""Quantise a model after training, with NNCF, and keep the result only if it hardly changes what is said.

Only here is NNCF needed (it comes with the extra `train`); `runtime.openvino.runtime` runs what is made.

Shapes: N pictures, C, H, W a picture as prepared, K classes, O output channels.

The pictures that a model is quantised with: some to take ranges from, others to measure on.

No patient is in both, where it is known whose a picture is. Each is prepared as in a live scan.

The simplest quantisation, without NNCF: from the least and the greatest that each convolution is given.

To time int8 on any network, trained or not. A model for use is made with `runtime.quantise`, which chooses
the ranges better, corrects the biases and measures what is lost.
"""

from __future__ import annotations

import importlib.metadata
import logging
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as ops

from semc_core.errors import UsageError
from semc_core.extras import needed
from semc_core.imaging.crop import crop_and_sector
from semc_core.imaging.preprocess import prepare
from semc_core.model.file import INT8_PREFIX, VERIFY, VERIFY_INT8, Arrays, read_model, write_model
from semc_core.model.presets import TOP1
from semc_core.model.spec import ModelSpec
from semc_core.picture import Picture as FramePicture
from semc_core.runtime.openvino.graph import build_graph
from semc_core.runtime.openvino.runtime import OpenVinoRuntime, bias_of, integer_convolutions
from semc_core.sources.images import ImageFolderSource

MOST_LOST: Final = 0.005
"""Accuracy that int8 may lose on pictures it was not calibrated on, of 1."""
LEAST_AGREEMENT: Final = 0.99
"""Share of those pictures in which int8 must name the same class as float32."""
LEAST_MEASURED: Final = 100
"""Pictures to measure on: among fewer, one in a hundred cannot be told."""

_LADDER: Final[tuple[tuple[str, ...], ...]] = ((), ("samc.",), ("samc.", "ace."))
"""What is left in float32, tried in this order until the result is accepted: parts of convolutions' names."""


@dataclass(frozen=True, slots=True)
class Quantized:
    """How int8 compares with float32 on the pictures that were kept for measuring.

    Attributes:
        calibrated_on: Pictures the ranges were taken from.
        measured_on: Other pictures.
        accuracy_float32: On those, 0-1.
        accuracy_int8: The same in int8.
        agreement: Share of them in which both name the same class, 0-1.
        left_in_float32: Parts of the network that were left in float32 beside those that always are.
    """

    calibrated_on: int
    measured_on: int
    accuracy_float32: float
    accuracy_int8: float
    agreement: float
    left_in_float32: tuple[str, ...]

    @property
    def accepted(self) -> bool:
        """Whether int8 may stand in for float32."""
        lost = self.accuracy_float32 - self.accuracy_int8
        return lost <= MOST_LOST and self.agreement >= LEAST_AGREEMENT


def quantize_file(path: Path, out: Path, pictures: Pictures, threads: int | None = None) -> Quantized:
    """Quantise a model file and write the new one, which holds the float32 weights too, if it is accepted.

    Args:
        path: The model file.
        out: The model file to write.
        pictures: What to calibrate and to measure on.
        threads: Most CPU threads to measure with.

    Returns:
        How it went; if that is not `accepted`, nothing was written.

    Raises:
        ModelFileError: The model file cannot be read or the new one not be written.
        RuntimeFault: OpenVINO cannot run the network.
        UsageError: NNCF is not installed, there are too few pictures to measure on, or the network chooses
            one of its experts for each frame.
    """
    require_nncf()
    spec, arrays = read_model(path)
    arrays = {n: v for n, v in arrays.items() if not n.startswith(INT8_PREFIX) and n != VERIFY_INT8}
    if spec.architecture.routing == TOP1:
        raise UsageError(
            f"{path.name} runs one of several experts for each frame, and int8 is made of networks that run "
            "all of their layers; use it in float32 or bfloat16."
        )
    calibration = [picture.inputs for picture in pictures.calibration]
    measured = pictures.measured
    if not calibration or len(measured) < LEAST_MEASURED:
        raise UsageError(
            f"There are {len(measured)} pictures to measure int8 on, and it takes {LEAST_MEASURED} at least "
            "to judge it; give a folder with more."
        )
    labels = np.array([picture.label for picture in measured])
    reference = _classes_of(path, "float32", measured, threads)
    with tempfile.TemporaryDirectory(prefix="semc-quantise-") as folder:
        trial = Path(folder) / "trial.safetensors"
        for left in _LADDER:
            tensors = arrays | quantized_arrays(spec, arrays, calibration, left)
            write_model(trial, spec, tensors)
            given = _classes_of(trial, "int8", measured, threads)
            result = Quantized(
                len(calibration),
                len(measured),
                float((reference == labels).mean()),
                float((given == labels).mean()),
                float((reference == given).mean()),
                left,
            )
            if result.accepted:
                if VERIFY[0] in arrays:
                    tensors[VERIFY_INT8] = _logits(trial, arrays[VERIFY[0]])
                write_model(out, _described(spec, result, pictures), tensors)
                break
    return result


def quantized_arrays(
    spec: ModelSpec, arrays: Arrays, calibration: Sequence[NDArray[np.float32]], left: Sequence[str] = ()
) -> Arrays:
    """The `int8.` tensors of a model.

    Args:
        spec: Its description.
        arrays: Its tensors.
        calibration: Pictures, float32 (C, H, W) each; the same ones give the same result.
        left: Convolutions with one of these in their names stay in float32.
    """
    import nncf
    from nncf.quantization.advanced_parameters import AdvancedQuantizationParameters, OverflowFix

    nncf.set_log_level(logging.ERROR)
    graph = build_graph(spec, arrays, batch=1)
    chosen = {
        name
        for name in (node.get_friendly_name() for node in integer_convolutions(graph))
        if not any(part in name for part in left)
    }
    others = [
        node
        for node in graph.get_ordered_ops()
        if node.get_friendly_name() not in chosen
        and node.get_type_name() not in ("Constant", "Parameter", "Result")
    ]
    quantised = nncf.quantize(
        graph,
        nncf.Dataset([picture[None] for picture in calibration]),
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(calibration),
        ignored_scope=nncf.IgnoredScope(names=[node.get_friendly_name() for node in others]),
        # Weights of 7 bits: see `runtime.openvino.runtime`.
        advanced_parameters=AdvancedQuantizationParameters(overflow_fix=OverflowFix.ENABLE),
    )
    return _read_off(quantised, build_graph(spec, arrays, batch=1), chosen)


def _read_off(quantised: ov.Model, original: ov.Model, chosen: set[str]) -> Arrays:
    """What NNCF decided for each convolution, as plain arrays."""
    biases = {node.get_friendly_name(): _bias(node) for node in integer_convolutions(original)}
    found: Arrays = {}
    for node in quantised.get_ordered_ops():
        name = node.get_friendly_name()
        if name not in chosen:
            continue
        prefix = f"{INT8_PREFIX}{name}"
        quantiser = node.input(0).get_source_output().get_node()
        weights = node.input(1).get_source_output().get_node()  # integers, converted, times the steps
        if quantiser.get_type_name() != "FakeQuantize" or weights.get_type_name() != "Multiply":
            continue  # NNCF left it in float32
        limits = [float(_constant(quantiser, port).reshape(-1)[0]) for port in (1, 2)]
        found[f"{prefix}.input"] = np.array(limits, np.float32)
        found[f"{prefix}.step"] = _constant(weights, 1).reshape(-1).astype(np.float32)
        bias, before = _bias(node), biases[name]
        if bias is not None and before is not None and not np.array_equal(bias, before):
            found[f"{prefix}.bias"] = bias
    return found


def _bias(convolution: Any) -> NDArray[np.float32] | None:
    port = bias_of(convolution)
    if port is None:
        return None
    return np.array(port.get_source_output().get_node().get_data(), np.float32).reshape(-1)


def _constant(node: Any, port: int) -> NDArray[Any]:
    return np.asarray(node.input(port).get_source_output().get_node().get_data())


def _classes_of(
    path: Path, precision: str, pictures: Sequence[Picture], threads: int | None
) -> NDArray[np.int64]:
    """The most probable class of each picture, calibration and novelty included, int64 (N,)."""
    runtime = OpenVinoRuntime(path, threads, precision=precision)
    try:
        seen = [runtime.classify(picture.inputs[None])[0] for picture in pictures]
    finally:
        runtime.close()
    return np.array([int(prediction.probabilities.argmax()) for prediction in seen], np.int64)


def _logits(path: Path, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    runtime = OpenVinoRuntime(path, 1, precision="int8")
    try:
        return np.concatenate([runtime.raw(one[None]).logits for one in inputs])
    finally:
        runtime.close()


def _described(spec: ModelSpec, result: Quantized, pictures: Pictures) -> ModelSpec:
    facts = {
        "from": spec.sha256,
        "pictures": pictures.description,
        "nncf": importlib.metadata.version("nncf"),
        "openvino": importlib.metadata.version("openvino"),
    }
    return replace(
        spec,
        provenance=spec.provenance | {"int8": facts},
        metrics=spec.metrics | {"int8": asdict(result) | {"left_in_float32": list(result.left_in_float32)}},
    )


def require_nncf() -> None:
    """Raises UsageError if NNCF is not installed."""
    try:
        importlib.metadata.version("nncf")
    except importlib.metadata.PackageNotFoundError as error:
        raise UsageError(needed("nncf", "Quantising")) from error


CALIBRATION_PATIENTS: Final = range(0, 24)
"""Simulated patients of the training split, which ends at 1000."""
MEASURED_PATIENTS: Final = range(1000, 1024)
"""Of the validation split, 1000-1999. The test split, from 2000, is not touched."""

_FRAMES_EACH: Final = {"calibration": 12, "measured": 60}
_SECONDS: Final = 60.0
_FRAME_RATE: Final = 25.0
_HELD_OUT: Final = 0.5
_MOST_CALIBRATION: Final = 300


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One picture, prepared: float32 (C, H, W), and the index of its class."""

    inputs: NDArray[np.float32]
    label: int


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """What to quantise with.

    Attributes:
        calibration: To take the ranges from.
        measured: Others, to compare int8 with float32 on.
        description: What they are, for the model file.
    """

    calibration: Sequence[Picture]
    measured: Sequence[Picture]
    description: str


def simulated_pictures(
    spec: ModelSpec, calibration: range = CALIBRATION_PATIENTS, measured: range = MEASURED_PATIENTS
) -> Pictures:
    """Frames of simulated patients, with the screen of a scanner around them.

    Raises:
        UsageError: The model's classes are not the simulated scan's.
    """
    from semc_core.labels import LIVER_PLANES

    unknown = set(spec.planes) ^ set(LIVER_PLANES)
    if unknown:
        raise UsageError(
            f"The simulated scan has other classes than this model ({', '.join(sorted(unknown))}); give a "
            "folder of labelled pictures with --data."
        )
    return Pictures(
        [p for patient in calibration for p in _scan(spec, patient, _FRAMES_EACH["calibration"])],
        [p for patient in measured for p in _scan(spec, patient, _FRAMES_EACH["measured"])],
        f"simulated patients {calibration.start}-{calibration.stop - 1} to calibrate, "
        f"{measured.start}-{measured.stop - 1} to measure",
    )


def folder_pictures(spec: ModelSpec, folder: Path, seed: int = 0) -> Pictures:
    """The pictures of a folder with a sub-folder per class, half of the patients for each purpose.

    Pictures that lie loose in a class's folder are divided one by one: nothing says whose they are.

    Raises:
        SourceError: A picture cannot be read.
        UsageError: The folder does not fit the model, or holds too few pictures to divide.
    """
    from semc_core.model.gate_fit import divided, labelled_pictures

    found = labelled_pictures(folder, spec.classes)
    apart = divided(found, _HELD_OUT, seed)
    to_calibrate = [p for p, held_out in zip(found, apart, strict=True) if not held_out]
    step = max(1, len(to_calibrate) // _MOST_CALIBRATION)
    return Pictures(
        [_read(spec, p.path, p.label) for p in to_calibrate[::step]],
        [_read(spec, p.path, p.label) for p, held_out in zip(found, apart, strict=True) if held_out],
        "a folder of labelled pictures, half of its patients (of loose pictures, half of those) to calibrate "
        "and half to measure",
    )


def _scan(spec: ModelSpec, patient: int, count: int) -> Iterator[Picture]:
    """`count` frames of a scan at equal distances."""
    from semc_core.phantom.scan import SimulatedScan

    scan = SimulatedScan(patient, _SECONDS, frame_rate=_FRAME_RATE)
    assert scan.frame_count is not None
    for index in range(0, scan.frame_count, scan.frame_count // count):
        label = spec.classes.index(spec.none_class)
        plane = scan.truth(index).plane
        if plane in spec.planes:
            label = spec.classes.index(plane)
        yield _prepared(spec, FramePicture(scan.frame(index)), label)


def _read(spec: ModelSpec, path: Path, label: int) -> Picture:
    source = ImageFolderSource(path)
    try:
        packet = source.read()
    finally:
        source.close()
    assert packet is not None
    return _prepared(spec, packet.picture, label)


def _prepared(spec: ModelSpec, picture: FramePicture, label: int) -> Picture:
    crop, outline = crop_and_sector(picture)
    return Picture(prepare(picture.gray, crop, spec.preprocessing, outline), label)


_LARGEST: Final = 63
"""Of the integer weights; see `runtime.openvino.runtime`."""


def ranged_arrays(spec: ModelSpec, arrays: Arrays, frames: NDArray[np.float32]) -> Arrays:
    """The `int8.` tensors of a model.

    Args:
        spec: Its description.
        arrays: Its tensors.
        frames: float32 (N, C, H, W), as prepared.
    """
    graph = build_graph(spec, arrays, batch=1)
    found: Arrays = {}
    names, seen = [], []
    for node in integer_convolutions(graph):
        name = f"{INT8_PREFIX}{node.get_friendly_name()}"
        weights = node.input(1).get_source_output().get_node().get_data()
        largest = np.maximum(np.abs(weights).max(axis=(1, 2, 3)), np.finfo(np.float32).tiny * 2**10)
        found[f"{name}.step"] = (largest / _LARGEST).astype(np.float32)
        names.append(name)
        given, axes = node.input(0).get_source_output(), ops.constant(np.array([0, 1, 2, 3], np.int64))
        seen.append(ops.result(ops.reduce_min(given, axes, False)))
        seen.append(ops.result(ops.reduce_max(given, axes, False)))
    options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    compiled = ov.Core().compile_model(ov.Model(seen, graph.get_parameters(), "ranges"), "CPU", options)
    limits = np.array([[float(value) for value in compiled(frame[None]).values()] for frame in frames])
    for index, name in enumerate(names):
        low = min(0.0, limits[:, 2 * index].min())
        high = max(limits[:, 2 * index + 1].max(), low + 1e-6, 1e-6)
        found[f"{name}.input"] = np.array([low, high], np.float32)
    return found

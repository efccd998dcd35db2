"""Runs a model on the CPU through OpenVINO in float32, bfloat16 or int8. PyTorch is not imported.

Every frame is run by itself, also in a batch: it was measured that batches of 8 gain 7 % at most, while
frames that run side by side on several cores gain much more, and one frame has one answer whatever its batch.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any, Final

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from semc_core.errors import RuntimeFault
from semc_core.io.process import usable_cores
from semc_core.model.file import read_model
from semc_core.model.spec import ModelSpec
from semc_core.paths import cache_folder
from semc_core.runtime.calibration import Calibrator, RawOutput
from semc_core.runtime.inputs import checked_inputs
from semc_core.runtime.openvino.graph import OUTPUTS, build_graph
from semc_core.runtime.openvino.int8 import is_quantised, make_integer
from semc_core.types import Prediction

_log = logging.getLogger(__name__)

_HINTS: Final = {"float32": "f32", "bfloat16": "bf16", "int8": "f32"}
"""What the operations compute in that are not in integers."""


class OpenVinoRuntime:
    """`Runtime` on the CPU. Ready, that is warmed up, when constructed."""

    def __init__(
        self, path: Path, threads: int | None = None, cache: Path | None = None, precision: str = "auto"
    ) -> None:
        """Load and compile.

        Args:
            path: The model file.
            threads: Most threads that may be used. By default half of the cores for a single frame, so that
                the rest of the program keeps the others, and all of them for a batch.
            cache: Folder for the compiled model; the user's cache folder by default.
            precision: "float32", "bfloat16", "int8", or "auto", which is int8 if the file was quantised,
                else float32 (docs/decisions/0005).

        Raises:
            ModelFileError: The file is missing, damaged, or not one of ours.
            RuntimeFault: OpenVINO cannot run it, or not in this precision on this processor.
        """
        cores = usable_cores()
        self._spec, self._arrays = read_model(path)
        self._precision = _possible(precision, is_quantised(self._arrays))
        self._calibrator = Calibrator(self._spec, self._arrays)
        self._threads = max(1, threads if threads is not None else cores // 2)
        self._batch_threads = max(1, threads if threads is not None else cores)
        self._cache = _writable(cache_folder() / "openvino" if cache is None else cache)
        self._single: list[Any] = self._compile(self._threads, streams=1)
        self._several: list[Any] = []
        p = self._spec.preprocessing
        self.classify(np.zeros((1, self._spec.architecture.in_channels, p.height, p.width), np.float32))

    @property
    def spec(self) -> ModelSpec:
        """From the model file."""
        return self._spec

    @property
    def device_name(self) -> str:
        """For the user."""
        return f"CPU, OpenVINO {self._precision}"

    def classify(self, inputs: NDArray[np.float32]) -> list[Prediction]:
        """See `Runtime.classify`."""
        return self._calibrator.predictions(self.raw(inputs))

    def raw(self, inputs: NDArray[np.float32]) -> RawOutput:
        """The network's numbers before calibration, for inputs as `classify` takes them.

        Raises:
            RuntimeFault: The model could not be run.
        """
        frames = checked_inputs(inputs, self._spec)
        if not self._single:
            raise RuntimeFault("The model was closed; load it again.")
        requests = self._single if len(frames) == 1 else self._requests_for_several()
        try:
            return _run(requests, frames)
        except RuntimeError as error:
            raise RuntimeFault(f"OpenVINO could not run the model ({error}); load it again.") from error

    def close(self) -> None:
        """Release the compiled models. May be called twice."""
        self._single, self._several = [], []

    def _requests_for_several(self) -> list[Any]:
        """One request per core, compiled when first needed: live video never needs it."""
        if not self._several:
            one_is_enough = self._batch_threads == 1 and self._threads == 1
            self._several = (
                self._single if one_is_enough else self._compile(self._batch_threads, self._batch_threads)
            )
        return self._several

    def _compile(self, threads: int, streams: int) -> list[Any]:
        """Inference requests, one per stream, that share `threads` threads."""
        options: dict[str, Any] = {
            # Always said: on CPUs with bfloat16 OpenVINO would otherwise choose that.
            "INFERENCE_PRECISION_HINT": _HINTS[self._precision],
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": streams,
        }
        if self._cache is not None:
            options["CACHE_DIR"] = str(self._cache)
        try:
            graph = build_graph(self._spec, self._arrays, batch=1)
            if self._precision == "int8":
                make_integer(graph, self._arrays)
            compiled = ov.Core().compile_model(graph, "CPU", options)
            return [compiled.create_infer_request() for _ in range(streams)]
        except RuntimeError as error:
            raise RuntimeFault(f"OpenVINO could not compile the model ({error}).") from error


def _possible(precision: str, quantised: bool) -> str:
    """The precision that is meant, if this model and this processor have it.

    Raises:
        RuntimeFault: They have not.
    """
    if precision == "auto":
        return "int8" if quantised else "float32"
    if precision not in _HINTS:
        raise RuntimeFault(f"The CPU does not run a model in {precision}; choose the precision auto.")
    if precision == "int8" and not quantised:
        raise RuntimeFault(
            "This model file was not quantised; make one that is with semc model quantise, or choose float32."
        )
    if precision == "bfloat16" and "BF16" not in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        raise RuntimeFault("This processor has no bfloat16; choose the precision auto or float32.")
    return precision


def _run(requests: list[Any], frames: NDArray[np.float32]) -> RawOutput:
    """Run frame i on request i mod S; results in the order of the frames."""
    rows: list[tuple[NDArray[np.float32], ...]] = []
    count = len(requests)
    for index in range(len(frames) + count):
        request = requests[index % count]
        if index >= count and index - count < len(frames):
            request.wait()
            rows.append(tuple(np.array(request.get_tensor(name).data) for name in OUTPUTS))
        if index < len(frames):
            request.start_async({0: frames[index : index + 1]})
    logits, weights, maps, pooled = (np.concatenate(column) for column in zip(*rows, strict=True))
    return RawOutput(logits, weights, maps, pooled)


def _writable(folder: Path) -> Path | None:
    """The folder, made if need be; None, with a line in the log, if it cannot be: it only saves time."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        _log.warning("Compiled models are not kept, %s cannot be written: %s", folder, error.strerror)
        return None
    return folder if os.access(folder, os.W_OK) else None

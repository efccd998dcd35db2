"""Does a network in ONNX give in ONNX Runtime what this program gives?"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from semc_core.runtime.openvino.calibrated import NOVELTY_OUTPUT, PROBABILITIES
from semc_core.runtime.openvino.graph import OUTPUTS
from semc_core.runtime.openvino.runtime import OpenVinoRuntime

_SHARES: Final = (PROBABILITIES, "expert_weights")
"""Outputs within 0 and 1, whose difference counts as it is; that of others by their size."""
_ERRORS_ONLY: Final = 3


def largest_difference(content: bytes, path: Path, pictures: NDArray[np.float32], batch: int) -> float:
    """How far the ONNX file `content` is from the model file it was made of, over all outputs.

    Args:
        content: The ONNX file; it takes `batch` pictures at once.
        path: The model file; it is run by the program itself, in float32.
        pictures: float32 (N, C, H, W), N a multiple of `batch`.
        batch: Of the ONNX file.

    Returns:
        The largest difference of a probability or an expert's share; of another number, in units of the
        largest number of its output (of 1 where that is smaller). Infinite where something is not finite.
    """
    given = run_onnx(content, pictures, batch)
    runtime = OpenVinoRuntime(path, threads=1, precision="float32")
    try:
        raw, predictions = runtime.raw(pictures), runtime.classify(pictures)
    finally:
        runtime.close()
    own: dict[str, NDArray[np.float32]] = {name: getattr(raw, name) for name in OUTPUTS}
    own[PROBABILITIES] = np.stack([each.probabilities for each in predictions])
    if NOVELTY_OUTPUT in given:
        own[NOVELTY_OUTPUT] = np.array([each.novelty for each in predictions], np.float32)
    worst = 0.0
    for name, values in own.items():
        unit = 1.0 if name in _SHARES else max(1.0, float(np.abs(values).max()))
        difference = float(np.abs(given[name] - values).max()) / unit
        worst = max(worst, difference if np.isfinite(difference) else np.inf)
    return worst


def run_onnx(content: bytes, pictures: NDArray[np.float32], batch: int) -> dict[str, NDArray[np.float32]]:
    """Each output of an ONNX file by its name, over all pictures, by ONNX Runtime on the CPU."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_outputs()]
    frames = session.get_inputs()[0].name
    parts = [
        session.run(names, {frames: pictures[first : first + batch]})
        for first in range(0, len(pictures), batch)
    ]
    return {name: np.concatenate([part[index] for part in parts]) for index, name in enumerate(names)}

"""Preparing frames before the network or inside its graph: `python docs/benchmarks/preprocessing.py PRESET`.

Gray 720p frames, cropped as a scan is, for the network of a preset with untrained weights, on one thread. The
ways take turns: `prepare` and the float32 graph; `prepare` without the normalisation, which the graph does;
and cropping, resizing and normalising in the graph (OpenVINO's PrePostProcessor) with its plain bilinear
resize, which leaves pixels out, or with the antialiased one, which does what `prepare` does.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semc_core.imaging.preprocess import prepare
from semc_core.labels import LIVER_CLASSES
from semc_core.model.architecture import PRESETS, new_spec, random_weights
from semc_core.model.spec import ModelSpec
from semc_core.phantom.scan import SimulatedScan
from semc_core.picture import gray_of
from semc_core.runtime.openvino.graph import build_graph
from semc_core.types import Crop

# After semc_core.runtime, which keeps OpenVINO from reporting its import.
import openvino as ov  # isort: skip
from openvino.preprocess import PrePostProcessor, ResizeAlgorithm  # isort: skip

CROP = Crop(340, 60, 600, 600)  # of the inputs' shape: nothing is padded
SIZE = 720, 1280
Way = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


def request(graph: ov.Model) -> Any:
    """An inference request on one thread."""
    options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1}
    return ov.Core().compile_model(graph, "CPU", options).create_infer_request()


def with_steps(spec: ModelSpec, resize: ResizeAlgorithm | None) -> ov.Model:
    """The graph with normalisation in it; with a way to resize, also crop and resize of a whole frame."""
    graph = build_graph(spec, random_weights(spec.architecture, len(spec.classes)), batch=1)
    p = spec.preprocessing
    steps = PrePostProcessor(graph)
    frames = steps.input()
    shape = [1, *SIZE, 1] if resize is not None else [1, p.height, p.width, 1]
    frames.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC")).set_shape(shape)
    frames.model().set_layout(ov.Layout("NCHW"))
    prepared = frames.preprocess().convert_element_type(ov.Type.f32)
    if resize is not None:
        bottom, right = CROP.top + CROP.height, CROP.left + CROP.width
        prepared.crop([0, CROP.top, CROP.left, 0], [1, bottom, right, 1]).resize(resize, p.height, p.width)
    prepared.mean(255 * p.mean[0]).scale(255 * p.std[0])
    return steps.build()


def ways(spec: ModelSpec) -> dict[str, Way]:
    """Each takes uint8 (720, 1280) and gives the logits."""
    p = spec.preprocessing
    levels_only = replace(p, mean=(0.0,), std=(1 / 255,))
    plain = request(build_graph(spec, random_weights(spec.architecture, len(spec.classes)), batch=1))
    normalising = request(with_steps(spec, None))
    linear = request(with_steps(spec, ResizeAlgorithm.RESIZE_LINEAR))
    smooth = request(with_steps(spec, ResizeAlgorithm.RESIZE_BILINEAR_PILLOW))

    def logits(of: Any, given: NDArray[Any]) -> NDArray[np.float32]:
        of.infer({0: given})
        return np.array(of.get_tensor("logits").data)

    def normalised_inside(frame: NDArray[np.uint8]) -> NDArray[np.float32]:
        levels = np.rint(prepare(frame, CROP, levels_only)[0]).astype(np.uint8)
        return logits(normalising, levels[None, :, :, None])

    return {
        "prepare, then the graph": lambda frame: logits(plain, prepare(frame, CROP, p)[None]),
        "prepare alone": lambda frame: prepare(frame, CROP, p),
        "normalised in the graph": normalised_inside,
        "all in the graph, linear": lambda frame: logits(linear, frame[None, :, :, None]),
        "all in the graph, antialiased": lambda frame: logits(smooth, frame[None, :, :, None]),
    }


def main() -> None:
    """Measure one preset."""
    parser = argparse.ArgumentParser(description=__doc__)
    gray = sorted(name for name, preset in PRESETS.items() if preset.architecture.in_channels == 1)
    parser.add_argument("preset", choices=gray)
    parser.add_argument("--rounds", type=int, default=40)
    args = parser.parse_args()
    spec = new_spec(args.preset, LIVER_CLASSES)
    scan = SimulatedScan(2100, 60.0, width=SIZE[1], height=SIZE[0])
    frames = [np.ascontiguousarray(gray_of(scan.frame(index))) for index in (40, 400)]
    compared = ways(spec)
    times: dict[str, list[float]] = {name: [] for name in compared}
    for turn in range(args.rounds + 1):
        for name, run in compared.items():
            begun = time.process_time()
            run(frames[turn % len(frames)])
            if turn:  # the first one warms up
                times[name].append((time.process_time() - begun) * 1e3)
    reference = compared["prepare, then the graph"](frames[0])
    for name, run in compared.items():
        line = f"{name}: {statistics.median(times[name]):.2f} ms of processor time"
        if name != "prepare alone":
            off = np.abs(run(frames[0]) - reference).max() / reference.std()
            line += f", logits off by {off:.1e} of their standard deviation"
        print(line)


if __name__ == "__main__":
    main()

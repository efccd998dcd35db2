"""Where the time of a network goes on this machine's CPU: `python docs/benchmarks/cpu_layers.py PRESET`.

Untrained weights, different in every tensor (equal experts would be run as one). Eager PyTorch, OpenVINO in
float32 and OpenVINO in int8 take turns; then OpenVINO's own counters are added up by kind of layer. The peaks
are those of a 3x3 convolution of 256 channels on 16x16 cells, measured in turn too. Nothing else should run.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from semc_core.labels import LIVER_CLASSES
from semc_core.model.architecture import PRESETS, new_spec, random_weights
from semc_core.model.weights import build_network
from semc_core.runtime.openvino.graph import build_graph
from semc_core.runtime.openvino.runtime import make_integer
from semc_core.runtime.quantize import ranged_arrays

# After semc_core.runtime, which keeps OpenVINO from reporting its import.
import openvino as ov  # isort: skip
from openvino import opset13 as ops  # isort: skip

PEAK_SHAPE = (256, 16, 3)  # channels, cells along a side, kernel


def compiled(graph: ov.Model, threads: int, counters: bool = False) -> Any:
    """An inference request as the program makes it."""
    options = {
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "PERF_COUNT": counters,
    }
    return ov.Core().compile_model(graph, "CPU", options).create_infer_request()


def peak_graph(integer: bool) -> tuple[ov.Model, NDArray[np.float32], float]:
    """Six convolutions one after the other; their input, and their work in GFLOP."""
    channels, side, size = PEAK_SHAPE
    rng = np.random.default_rng(0)
    given = ops.parameter([1, channels, side, side], np.float32)
    x = ops.relu(given)
    for _ in range(6):
        kernel = rng.standard_normal((channels, channels, size, size)).astype(np.float32) / (
            size * channels**0.5
        )
        weights = ops.constant(kernel)
        if integer:
            steps = np.abs(kernel).max(axis=(1, 2, 3), keepdims=True) / 63
            low, high = ops.constant(-128 * steps), ops.constant(127 * steps)
            weights = ops.fake_quantize(weights, low, high, low, high, 256)
            zero, most = ops.constant(np.float32(0)), ops.constant(np.float32(4))
            x = ops.fake_quantize(x, zero, most, zero, most, 256)
        x = ops.relu(ops.convolution(x, weights, [1, 1], [1, 1], [1, 1], [1, 1]))
    work = 6 * 2 * channels**2 * size**2 * side**2 / 1e9
    return (
        ov.Model([ops.result(x)], [given], "peak"),
        rng.standard_normal((1, channels, side, side)).astype(np.float32),
        work,
    )


def take_turns(runs: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median time of each in ms; they take turns, so that noise meets all of them."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        run()
    for _ in range(rounds):
        for name, run in runs.items():
            begun = time.perf_counter()
            run()
            times[name].append((time.perf_counter() - begun) * 1e3)
    return {name: statistics.median(values) for name, values in times.items()}


def flops(graph: ov.Model) -> dict[str, float]:
    """Work of each convolution in GFLOP, by name."""
    found = {}
    for node in graph.get_ordered_ops():
        if node.get_type_name() in ("Convolution", "GroupConvolution"):
            inputs = list(node.input(1).get_shape())[1 if node.get_type_name() == "Convolution" else 2 :]
            found[node.get_friendly_name()] = (
                2 * float(np.prod(inputs)) * np.prod(node.get_output_shape(0)) / 1e9
            )
    return found


def kind_of(name: str, layer: str, work: dict[str, float]) -> str:
    """The kind of layer in words."""
    if layer == "GroupConvolution":
        return "depth-wise convolutions"
    if layer != "Convolution" or name not in work:
        return "the rest (attention, sums, pooling, head, reorders)"
    if name == "conv1":
        return "stem"
    return "3x3 convolutions"


def by_kind(
    graph: ov.Model, frame: NDArray[np.float32], threads: int, rounds: int
) -> dict[str, tuple[float, float]]:
    """(ms, GFLOP) per kind of layer."""
    work = flops(graph)
    pointwise = {
        n.get_friendly_name()
        for n in graph.get_ops()
        if n.get_type_name() == "Convolution" and n.input(1).get_shape()[2] == 1
    }
    request = compiled(graph, threads, counters=True)
    sums: dict[str, list[float]] = defaultdict(list)
    layers: dict[str, str] = {}
    for call in range(1, rounds + 2):
        request.infer({0: frame})
        for counter in request.profiling_info:
            # The counters are means over all calls; the first one, which packs weights, is left out below.
            sums[counter.node_name].append(call * counter.real_time.total_seconds() * 1e3)
            layers[counter.node_name] = counter.node_type
    total: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for name, values in sums.items():
        kind = "point-wise convolutions" if name in pointwise else kind_of(name, layers[name], work)
        total[kind][0] += statistics.median(np.diff(values).tolist())
        total[kind][1] += work.get(name, 0.0)
    return {kind: (ms, done) for kind, (ms, done) in total.items()}


def main() -> None:
    """Measure one preset."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("preset", choices=sorted(PRESETS))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    spec = new_spec(args.preset, LIVER_CLASSES)
    p, channels = spec.preprocessing, spec.architecture.in_channels
    arrays = random_weights(spec.architecture, len(spec.classes))
    frame = np.random.default_rng(1).standard_normal((1, channels, p.height, p.width)).astype(np.float32)
    graphs = {name: build_graph(spec, arrays, batch=1) for name in ("float32", "int8")}
    make_integer(graphs["int8"], ranged_arrays(spec, arrays, frame))
    network = build_network(spec.architecture, len(spec.classes), arrays)
    image = torch.from_numpy(frame)
    runs: dict[str, Callable[[], object]] = {}
    with torch.inference_mode():
        runs["eager"] = lambda: network(image)
        work = {"eager": sum(flops(graphs["float32"]).values())}
        for name, graph in graphs.items():
            request = compiled(graph, args.threads)
            runs[name] = lambda request=request: request.infer({0: frame})  # type: ignore[misc]
            work[name] = work["eager"]
            peak, given, done = peak_graph(name == "int8")
            asked = compiled(peak, args.threads)
            runs[f"peak {name}"] = lambda asked=asked, given=given: asked.infer({0: given})  # type: ignore[misc]
            work[f"peak {name}"] = done
        medians = take_turns(runs, args.rounds)
    rate = {name: 1e3 * work[name] / ms for name, ms in medians.items()}
    print(f"{args.preset}, {p.height}x{p.width}, {work['eager']:.2f} GFLOP, {args.threads} thread(s)")
    for name, ms in medians.items():
        share = f"{rate[name] / rate[f'peak {name}']:.0%} of the peak" if f"peak {name}" in rate else ""
        faster = f"{medians['eager'] / ms:.2f} x eager" if name in ("float32", "int8") else ""
        print(f"  {name:14}{ms:9.2f} ms {rate[name]:7.1f} GFLOP/s  {faster:14} {share}")
    for name, graph in graphs.items():
        print(f"  {name} by kind:")
        print_kinds(by_kind(graph, frame, args.threads, max(3, args.rounds // 2)))


def print_kinds(kinds: dict[str, tuple[float, float]]) -> None:
    """A line per kind of layer, the slowest first."""
    time_ms, work = (sum(column) for column in zip(*kinds.values(), strict=True))
    for kind, (ms, done) in sorted(kinds.items(), key=lambda item: -item[1][0]):
        shares = f"{ms / time_ms:5.1%} of the time {done / work:6.1%} of the work"
        print(f"    {kind:52}{ms:8.2f} ms {shares} {1e3 * done / ms:7.1f} GFLOP/s")


if __name__ == "__main__":
    main()

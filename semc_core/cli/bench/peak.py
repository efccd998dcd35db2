"""The machine that a table was measured on: its name, and how fast it multiplies matrices at best."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import openvino as ov
import torch
from numpy.typing import NDArray
from openvino import opset13 as ops

from semc_core.io.process import usable_cores
from semc_core.version import VERSION

_SIDE: Final = 1024
_SIDE_ON_GPU: Final = 8192
_HINTS: Final = {"float32": "f32", "bfloat16": "bf16", "int8": "f32"}

Multiply = Callable[[], float]
"""Multiplies once; gives GFLOP/s."""

Product = Callable[[bool], tuple[NDArray[np.float32], ov.Model, int]]
"""Whether in int8 -> an input, the graph, its floating-point operations."""


def machine_in_words(device: str, threads: int) -> dict[str, str]:
    """What a reader of the table must know of the machine."""
    core = ov.Core()
    able = [name for name in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES") if name.isupper()]
    words = {
        "processor": f"{core.get_property('CPU', 'FULL_DEVICE_NAME')}, {usable_cores()} cores",
        "threads": str(threads),
        "processor computes in": ", ".join(sorted(able)),
    }
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
        words["memory"] = f"{memory:.0f} GiB"
    if device == "cuda":
        major, minor = torch.cuda.get_device_capability()
        words["GPU"] = f"{torch.cuda.get_device_name()}, compute capability {major}.{minor}"
        words["CUDA"] = f"{torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}"  # type: ignore[no-untyped-call]
    programs = {"SEMC Live": VERSION, "PyTorch": torch.__version__, "OpenVINO": ov.__version__.split("-")[0]}
    return words | {
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "programs": ", ".join(f"{name} {version}" for name, version in programs.items()),
    }


def peaks(device: str, threads: int) -> dict[str, list[Multiply]]:
    """For each precision that the device has, the ways to multiply large matrices in it."""
    if device == "cuda":
        types = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
        return {name: [_through_torch(dtype, "cuda", _SIDE_ON_GPU)] for name, dtype in types.items()}
    able = ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    found = {
        precision: [_through_openvino(precision, threads, product) for product in _PRODUCTS]
        for precision, ability in (("float32", "FP32"), ("bfloat16", "BF16"), ("int8", "INT8"))
        if ability in able
    }
    found["float32"].append(_through_torch(torch.float32, "cpu", _SIDE))
    return found


def _through_torch(dtype: torch.dtype, device: str, side: int) -> Multiply:
    left, right = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))

    def multiply() -> float:
        with torch.inference_mode():
            _wait(device)
            begun_s = time.perf_counter()
            torch.mm(left, right)
            _wait(device)
        return 2 * side**3 / (time.perf_counter() - begun_s) / 1e9

    return multiply


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def _through_openvino(precision: str, threads: int, product: Product) -> Multiply:
    frame, model, flop = product(precision == "int8")
    compiled: Any = ov.Core().compile_model(
        model,
        "CPU",
        {
            "INFERENCE_PRECISION_HINT": _HINTS[precision],
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
        },
    )
    request = compiled.create_infer_request()
    request.infer({0: frame})

    def multiply() -> float:
        begun_s = time.perf_counter()
        request.infer()
        return flop / (time.perf_counter() - begun_s) / 1e9

    return multiply


def _matrix_product(int8: bool) -> tuple[NDArray[np.float32], ov.Model, int]:
    """(1024, 1024) x (1024, 1024): an input, the graph, its floating-point operations."""
    given = ops.parameter([_SIDE, _SIDE], np.float32)
    weights = ops.constant(_uniform(-1, (_SIDE, _SIDE)))
    first, second = (_in_int8(given, 0), _in_int8(weights, -1)) if int8 else (given, weights)
    graph = ov.Model([ops.matmul(first, second, False, True)], [given])
    return _uniform(0, (_SIDE, _SIDE)), graph, 2 * _SIDE**3


def _convolution(int8: bool) -> tuple[NDArray[np.float32], ov.Model, int]:
    """The same as a 3x3 convolution of 256 channels, (1, 256, 32, 32); int8 products are best tuned there."""
    channels, side = 256, 32
    given = ops.parameter([1, channels, side, side], np.float32)
    weights = ops.constant(_uniform(-1, (channels, channels, 3, 3)))
    first, second = (_in_int8(given, 0), _in_int8(weights, -1)) if int8 else (given, weights)
    graph = ov.Model([ops.convolution(first, second, [1, 1], [1, 1], [1, 1], [1, 1])], [given])
    return _uniform(0, (1, channels, side, side)), graph, 2 * 9 * channels**2 * side**2


def _convolutions(int8: bool) -> tuple[NDArray[np.float32], ov.Model, int]:
    """Eight of 64 channels, (1, 64, 56, 56), one after the other.

    Small enough to stay in the cache and deep enough that bringing the input into the precision counts
    little: processors with units for matrices are two to four times as fast there as at one large product.
    """
    channels, side, depth = 64, 56, 8
    given = ops.parameter([1, channels, side, side], np.float32)
    last: Any = given
    for _ in range(depth):
        weights = ops.constant(_uniform(-1, (channels, channels, 3, 3)) / (9 * channels))
        pair = (_in_int8(last, 0), _in_int8(weights, -1)) if int8 else (last, weights)
        last = ops.relu(ops.convolution(*pair, [1, 1], [1, 1], [1, 1], [1, 1]))
    flop = 2 * 9 * channels**2 * side**2 * depth
    return _uniform(0, (1, channels, side, side)), ov.Model([last], [given]), flop


def _in_int8(node: Any, low: int) -> Any:
    """Rounded to 8 bits from `low` to 1: what OpenVINO turns into whole numbers."""
    ends = ops.constant(np.float32(low)), ops.constant(np.float32(1))
    return ops.fake_quantize(node, *ends, *ends, 256 if low == 0 else 255)


def _uniform(low: int, shape: tuple[int, ...]) -> NDArray[np.float32]:
    return np.random.default_rng(0).uniform(low, 1, shape).astype(np.float32)


_PRODUCTS: Final = (_matrix_product, _convolution, _convolutions)

"""The region finder's network as an OpenVINO graph, built from the arrays that come with the program.

No PyTorch, no ONNX. One thread, float32: a look has the same answer on each processor but for rounding.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.imaging.region.look import HEIGHT, WIDTH
from semc_core.paths import ASSETS


@dataclass(frozen=True, slots=True)
class Layer:
    """A convolution, where `norm` with BatchNorm while it is trained, where `relu` with ReLU."""

    name: str
    inputs: int
    outputs: int
    kernel: int = 3
    stride: int = 1
    dilation: int = 1
    norm: bool = True
    relu: bool = True


LAYERS: Final = (
    Layer("stem", 1, 12, stride=2),
    Layer("fine1", 12, 16, stride=2),
    Layer("fine2", 16, 16),
    Layer("middle1", 16, 32, stride=2),
    Layer("middle2", 32, 32),
    Layer("coarse1", 32, 48, stride=2),
    Layer("coarse2", 48, 48),
    Layer("wide1", 48, 64, dilation=2),
    Layer("around", 64, 64, kernel=1, norm=False, relu=False),
    Layer("wide2", 64, 64, dilation=4),
    Layer("wide3", 64, 64),
    Layer("up1", 64, 32, kernel=1, relu=False),
    Layer("decode1", 32, 32),
    Layer("up2", 32, 16, kernel=1, relu=False),
    Layer("decode2", 16, 16),
    Layer("answer", 16, 1, kernel=1, norm=False, relu=False),
)
"""In the order in which they are run; `_graph` says what is added to what."""

_WEIGHTS: Final = "region/picture.safetensors"
_LEVELS: Final = np.sqrt(np.arange(256, dtype=np.float32) / 255)


def levels(look: NDArray[np.uint8]) -> NDArray[np.float32]:
    """float32, 0-1: square roots, so that the dark depths of a picture differ from a black screen."""
    return cast("NDArray[np.float32]", cv2.LUT(look, _LEVELS))


def sector_share(look: NDArray[np.uint8]) -> NDArray[np.float32]:
    """How far each cell of a look, uint8 (240, 320), is sector: float32 (60, 80), 0-1."""
    return _loaded().answer(levels(look))


def careful_share(
    look: NDArray[np.uint8], straight: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """The mean of `sector_share` (`straight`, if it is known) of a look and of its mirror image.

    It costs twice as much, is more exact, and finds a mirrored picture where its mirror image is.
    """
    if straight is None:
        straight = sector_share(look)
    mirrored = sector_share(np.ascontiguousarray(look[:, ::-1]))
    return cast("NDArray[np.float32]", (straight + mirrored[:, ::-1]) / 2)


class _Network:
    """One compiled graph, used by one thread at a time."""

    def __init__(self) -> None:
        import openvino as ov
        from safetensors.numpy import load_file

        arrays = {name: array.astype(np.float32) for name, array in load_file(str(ASSETS / _WEIGHTS)).items()}
        settings = {"NUM_STREAMS": 1, "INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32"}
        compiled = ov.Core().compile_model(_graph(arrays), "CPU", settings)
        self._request: Any = compiled.create_infer_request()
        self._one_at_a_time = threading.Lock()

    def answer(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 (240, 320) -> float32 (60, 80)."""
        with self._one_at_a_time:
            self._request.infer([inputs[None, None]])
            answer = np.array(self._request.get_output_tensor(0).data, np.float32)
        return cast("NDArray[np.float32]", answer[0, 0])


@lru_cache(maxsize=1)
def _loaded() -> _Network:
    return _Network()


def _graph(arrays: dict[str, NDArray[np.float32]]) -> Any:
    """The graph, from a look (1, 1, 240, 320) to shares (1, 1, 60, 80)."""
    import openvino as ov
    from openvino import opset13 as ops

    layers = {layer.name: layer for layer in LAYERS}

    def run(name: str, x: Any) -> Any:
        layer = layers[name]
        pad, around = [layer.dilation * (layer.kernel // 2)] * 2, [layer.dilation] * 2
        kernel = ops.constant(arrays[f"{name}.weight"])
        bias = ops.constant(arrays[f"{name}.bias"].reshape(1, -1, 1, 1))
        x = ops.add(ops.convolution(x, kernel, [layer.stride] * 2, pad, pad, around), bias)
        return ops.relu(x) if layer.relu else x

    def doubled(x: Any) -> Any:
        scales, axes = ops.constant(np.array([2, 2], np.float32)), ops.constant(np.array([2, 3], np.int64))
        like = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        return ops.interpolate(x, scales, "nearest", "scales", axes=axes, **like)

    look = ops.parameter([1, 1, HEIGHT, WIDTH], np.float32, name="look")
    fine = run("fine2", run("fine1", run("stem", look)))
    middle = run("middle2", run("middle1", fine))
    coarse = run("coarse2", run("coarse1", middle))
    wide = run("wide1", coarse)
    mean = ops.reduce_mean(wide, ops.constant(np.array([2, 3], np.int64)), True)
    wide = ops.relu(ops.add(wide, run("around", mean)))
    wide = ops.add(wide, run("wide3", run("wide2", wide)))
    up = run("decode1", ops.add(doubled(run("up1", wide)), middle))
    up = run("decode2", ops.add(doubled(run("up2", up)), fine))
    return ov.Model([ops.result(ops.sigmoid(run("answer", up)))], [look], "region")

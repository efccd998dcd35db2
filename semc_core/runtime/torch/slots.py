"""One frame after another through a folded network: upload, run, download, several frames in flight.

Every frame is run by itself, also in a batch, as on the CPU: one frame has one answer whatever came with it.
What a batch would gain on a GPU comes from the frames in flight, each with a stream of its own, so that one
is copied while another is computed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from semc_core.runtime.calibration import RawOutput
from semc_core.runtime.torch.layers import new_event, new_stream
from semc_core.runtime.torch.network import Outputs

Network = Callable[[Tensor], Outputs]


class Slot:
    """What one frame in flight needs: buffers on both sides and, on a GPU, a stream and a CUDA graph.

    On the CPU the steps are the same and each is done when its call returns.
    """

    def __init__(self, network: Network, shape: tuple[int, int, int], device: torch.device) -> None:
        """Warm up; on a GPU, record the graph.

        Args:
            network: Takes float32 (1, C, H, W) on `device`.
            shape: C, H, W of a frame.
            device: "cpu" or "cuda".
        """
        self._network = network
        gpu = device.type == "cuda"
        # Pinned memory is what a copy needs to run beside the computation.
        self._frame = torch.empty((1, *shape), pin_memory=gpu)
        self._input = torch.zeros((1, *shape), device=device)
        self._stream = new_stream(device) if gpu else None
        self._done = new_event() if gpu else None
        self._graph: torch.cuda.CUDAGraph | None = None
        if self._stream is not None:
            self._stream.wait_stream(torch.cuda.current_stream(device))
        with torch.inference_mode(), self._on_stream():
            self._outputs = network(self._input)
            self._answer = Outputs(*(torch.empty(o.shape, pin_memory=gpu) for o in self._outputs))
        if gpu:
            self._record()

    def start(self, frame: NDArray[np.float32]) -> None:
        """Queue the three steps for a frame, float32 (1, C, H, W). The array may be changed afterwards."""
        with torch.inference_mode(), self._on_stream():
            self._upload(frame)
            self._run()
            self._download()

    def finish(self) -> tuple[NDArray[np.float32], ...]:
        """Wait for the frame that was started; what the network says of it, in the order of `Outputs`."""
        if self._done is not None:
            self._done.synchronize()
        return tuple(np.array(values.numpy()) for values in self._answer)

    def _upload(self, frame: NDArray[np.float32]) -> None:
        self._frame.copy_(torch.from_numpy(frame))
        self._input.copy_(self._frame, non_blocking=True)

    def _run(self) -> None:
        if self._graph is None:
            self._outputs = self._network(self._input)
        else:
            self._graph.replay()

    def _download(self) -> None:
        for kept, computed in zip(self._answer, self._outputs, strict=True):
            kept.copy_(computed, non_blocking=True)
        if self._done is not None:
            self._done.record()

    def _record(self) -> None:
        """Record the network as a CUDA graph, so that a frame costs one launch and not hundreds."""
        assert self._stream is not None
        graph = torch.cuda.CUDAGraph()
        with torch.inference_mode():
            # A second run before the recording: libraries choose and load their kernels in the first ones.
            with self._on_stream():
                self._network(self._input)
            self._stream.synchronize()
            with torch.cuda.graph(graph, stream=self._stream):
                self._outputs = self._network(self._input)
        self._graph = graph

    def _on_stream(self) -> AbstractContextManager[Any]:
        return contextlib.nullcontext() if self._stream is None else torch.cuda.stream(self._stream)


def run_frames(slots: Sequence[Slot], frames: NDArray[np.float32]) -> RawOutput:
    """Run frame i, float32 (N, C, H, W), in slot i mod S; results in the order of the frames."""
    rows: list[tuple[NDArray[np.float32], ...]] = []
    count = len(slots)
    for index in range(len(frames) + count):
        slot = slots[index % count]
        if 0 <= index - count < len(frames):
            rows.append(slot.finish())
        if index < len(frames):
            slot.start(frames[index : index + 1])
    return RawOutput(*(np.concatenate(column) for column in zip(*rows, strict=True)))

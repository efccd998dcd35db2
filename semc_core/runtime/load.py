"""Choose the runtime for a device. Imports only what the choice needs: PyTorch alone costs a second."""

from __future__ import annotations

import ctypes
import logging
import sys
from pathlib import Path

from semc_core.errors import RuntimeFault, UsageError
from semc_core.runtime.base import RawRuntime
from semc_core.runtime.choices import DEVICES, PRECISIONS

_log = logging.getLogger(__name__)


def load_runtime(
    path: Path, device: str = "auto", threads: int | None = None, precision: str = "auto"
) -> RawRuntime:
    """Load a model file, ready to classify.

    Args:
        path: The model file.
        device: "auto" takes an NVIDIA GPU if there is one, else the CPU; "cpu" is OpenVINO; "cuda" is
            PyTorch in half precision; "torch-cpu" is PyTorch in float32, to compare with.
        threads: Most CPU threads to use; None for the runtime's own choice.
        precision: What the network computes in. "auto" is what the device does best within the stated
            tolerance: half precision on a GPU; on the CPU int8 where the model file was quantised and
            accepted (docs/decisions/0005), else float32.

    Raises:
        ModelFileError: The file is missing, damaged, or not one of ours.
        RuntimeFault: The device is not there, cannot run the model, or not in this precision.
        UsageError: There is no such device or precision name.
    """
    if device not in DEVICES:
        raise UsageError(f"There is no device {device!r}; choose one of {', '.join(DEVICES)}.")
    if precision not in PRECISIONS:
        raise UsageError(f"There is no precision {precision!r}; choose one of {', '.join(PRECISIONS)}.")
    gpu = device in ("auto", "cuda") and nvidia_gpu_present()
    if device == "cuda" and not gpu:
        raise RuntimeFault("There is no NVIDIA GPU with a working driver here; choose the device cpu.")
    if gpu:
        import torch

        if device == "cuda" or torch.cuda.is_available():
            from semc_core.runtime.torch.runtime import TorchRuntime

            return TorchRuntime(path, "cuda", precision=precision)
        _log.warning("There is an NVIDIA GPU, but this PyTorch cannot use it; the CPU is used.")
    if device == "torch-cpu":
        from semc_core.runtime.torch.runtime import TorchRuntime

        return TorchRuntime(path, "cpu", threads, precision)
    from semc_core.runtime.openvino.runtime import OpenVinoRuntime

    return OpenVinoRuntime(path, threads, precision=precision)


def nvidia_gpu_present() -> bool:
    """Ask NVIDIA's driver, without PyTorch, whether it has a GPU."""
    name = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    try:
        driver = ctypes.CDLL(name)
    except OSError:
        return False
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return False
    return count.value > 0

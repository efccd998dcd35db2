"""Choose the runtime for a device; the only place that knows which there are.

Imports only what the choice needs: PyTorch alone costs a second, and the command line shows the names here in
its help.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from semc_core.errors import RuntimeFault, UsageError
from semc_core.extras import INSTALL_GPU, installed
from semc_core.language import _

if TYPE_CHECKING:
    from semc_core.runtime.base import RawRuntime

PRECISIONS: Final = ("auto", "float32", "bfloat16", "int8", "float16")
_log = logging.getLogger(__name__)


def _openvino(path: Path, threads: int | None, precision: str) -> RawRuntime:
    from semc_core.runtime.openvino.runtime import OpenVinoRuntime

    return OpenVinoRuntime(path, threads, precision=precision)


def _cuda(path: Path, threads: int | None, precision: str) -> RawRuntime:
    if not nvidia_gpu_present():
        raise RuntimeFault(_("There is no NVIDIA GPU with a working driver here; choose the device cpu."))
    return _by_torch(path, "cuda", None, precision)


def _torch_cpu(path: Path, threads: int | None, precision: str) -> RawRuntime:
    return _by_torch(path, "cpu", threads, precision)


def _by_torch(path: Path, device: str, threads: int | None, precision: str) -> RawRuntime:
    if not installed("torch"):
        raise RuntimeFault(
            _(
                "This device needs PyTorch: {command}; or choose the device cpu, which does without.",
                command=INSTALL_GPU,
            )
        )
    from semc_core.runtime.torch.runtime import TorchRuntime

    return TorchRuntime(path, device, threads, precision)


RUNTIMES: Final[dict[str, Callable[[Path, int | None, str], RawRuntime]]] = {
    "cpu": _openvino,
    "cuda": _cuda,
    "torch-cpu": _torch_cpu,
}
"""For a device: loads a model file, with so many threads at most, in a precision of `PRECISIONS`."""


class _Devices(tuple[str, ...]):
    """The names of devices. One that a plug-in brings is among them when it is asked for."""

    __slots__ = ()

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (isinstance(name, str) and _is_plugged(name))


def _is_plugged(name: str) -> bool:
    from semc_core.io.plugins import plugins

    return any(each.name == name for each in plugins("runtime"))


DEVICES: Final = _Devices(("auto", *RUNTIMES))


def load_runtime(
    path: Path, device: str = "auto", threads: int | None = None, precision: str = "auto"
) -> RawRuntime:
    """Load a model file, ready to classify.

    Args:
        path: The model file.
        device: "auto" takes an NVIDIA GPU if there is one, else the CPU; "cpu" is OpenVINO; "cuda" is
            PyTorch in half precision; "torch-cpu" is PyTorch in float32, to compare with; or what a plug-in
            brings.
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
        raise UsageError(
            _(
                "There is no device {device}; choose one of {devices}.",
                device=repr(device),
                devices=", ".join(DEVICES),
            )
        )
    if precision not in PRECISIONS:
        raise UsageError(
            _(
                "There is no precision {precision}; choose one of {precisions}.",
                precision=repr(precision),
                precisions=", ".join(PRECISIONS),
            )
        )
    chosen = _best_device() if device == "auto" else device
    if chosen in RUNTIMES:
        return RUNTIMES[chosen](path, threads, precision)
    from semc_core.runtime.plugged import load_plugged

    return load_plugged(chosen, path, threads, precision)


def _best_device() -> str:
    if not nvidia_gpu_present():
        return "cpu"
    if not installed("torch"):
        _log.warning("There is an NVIDIA GPU; to use it, install PyTorch: %s. The CPU is used.", INSTALL_GPU)
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return "cuda"
    _log.warning("There is an NVIDIA GPU, but this PyTorch cannot use it; the CPU is used.")
    return "cpu"


def nvidia_gpu_present() -> bool:
    """Ask NVIDIA's driver, without PyTorch, whether it has a GPU."""
    import ctypes

    name = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    try:
        driver = ctypes.CDLL(name)
    except OSError:
        return False
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return False
    return count.value > 0

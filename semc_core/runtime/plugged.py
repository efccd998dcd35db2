"""Runtimes that plug-ins bring: `--device NAME`, see docs/plugins.md."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from semc_core.errors import RuntimeFault
from semc_core.io.plugins import Plugin, PluginError, find_plugin, guarded
from semc_core.model.spec import ModelSpec
from semc_core.runtime.base import RawRuntime, checked_inputs
from semc_core.runtime.calibration import RawOutput
from semc_core.types import Prediction

T = TypeVar("T")


def load_plugged(name: str, path: Path, threads: int | None, precision: str) -> RawRuntime:
    """Load a model file with the plug-in of that name.

    Raises:
        RuntimeFault: There is none, or it could not load the model.
    """
    try:
        plugin = find_plugin("runtime", name)
        if plugin is None:
            raise RuntimeFault(f"There is no device {name}; choose another one.")
        runtime = guarded(plugin, "load the model", plugin.load(), path, threads, precision)
    except PluginError as error:
        raise RuntimeFault(str(error)) from error
    lacking = [e for e in ("spec", "device_name", "classify", "raw", "close") if not hasattr(runtime, e)]
    if lacking or not isinstance(runtime.spec, ModelSpec):
        missing = lacking[0] if lacking else "spec"
        raise RuntimeFault(f"{plugin.called} gave no runtime (no {missing}); update or uninstall it.")
    return _Plugged(runtime, plugin)


class _Plugged:
    """A plug-in's runtime, whose faults are sentences, and whose answers have the form that is promised."""

    def __init__(self, runtime: RawRuntime, plugin: Plugin) -> None:
        self._runtime, self._plugin = runtime, plugin

    @property
    def spec(self) -> ModelSpec:
        """See `Runtime`."""
        return self._runtime.spec

    @property
    def device_name(self) -> str:
        """See `Runtime`."""
        return self._runtime.device_name

    def classify(self, inputs: NDArray[np.float32]) -> list[Prediction]:
        """See `Runtime.classify`."""
        frames = checked_inputs(inputs, self.spec)
        answers = self._called(self._runtime.classify, frames)
        wanted = (len(self.spec.classes),)
        right = len(answers) == len(frames) and all(each.probabilities.shape == wanted for each in answers)
        if not right or not all(np.isfinite(each.probabilities).all() for each in answers):
            raise RuntimeFault(
                f"{self._plugin.called} gave no finite probability of each class for each picture; update "
                "it, or choose another device."
            )
        return answers

    def raw(self, inputs: NDArray[np.float32]) -> RawOutput:
        """See `RawRuntime.raw`."""
        return self._called(self._runtime.raw, checked_inputs(inputs, self.spec))

    def close(self) -> None:
        """See `Runtime.close`."""
        try:
            guarded(self._plugin, "close", self._runtime.close)
        except PluginError as error:
            raise RuntimeFault(str(error)) from error

    def _called(self, call: Callable[[NDArray[np.float32]], T], frames: NDArray[np.float32]) -> T:
        try:
            return guarded(self._plugin, "run the model", call, frames)
        except PluginError as error:
            raise RuntimeFault(str(error)) from error

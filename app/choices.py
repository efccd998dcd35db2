"""What the next scan will use: the command line's word first, then what the user chose before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from app.settings import ScanOptions, Settings
from semc_core.errors import ModelFileError
from semc_core.io.video_encoder import Quality
from semc_core.model.registry import INDEX_NAME, ModelRegistry
from semc_core.paths import DEFAULT_MODEL, data_folder


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the command line says instead of the settings; None leaves it to them. Not remembered."""

    model: Path | None = None
    device: str | None = None
    output: Path | None = None
    record: Quality | None = None
    clips: bool = True
    protocol: str | None = None
    data: Path | None = None


class Choices:
    """Model, device and folder. What the user chooses in the window is remembered and wins from then on."""

    def __init__(self, settings: Settings, overrides: Overrides) -> None:
        self._settings = settings
        self._overrides = overrides

    @property
    def library(self) -> ModelRegistry:
        """The user's models."""
        return ModelRegistry(self.data / "models")

    @property
    def model(self) -> Path:
        """Model file: the one that was named; else the one in use among the user's models.

        Where that is gone or damaged it is named all the same: opening it says what is wrong.
        """
        named = self._overrides.model or self._settings.model
        if self._overrides.model is not None or named != DEFAULT_MODEL:
            return named
        try:
            current = self.library.current()
        except ModelFileError:
            return self.library.folder / INDEX_NAME
        return named if current is None else self.library.folder / current.file

    @property
    def model_title(self) -> str:
        """What the model is called."""
        path = self.model
        if path == DEFAULT_MODEL:
            return "The model that came with the program"
        if path.parent == self.library.folder:
            return f"Your model, version {int(path.name[:4])}" if path.name[:4].isdecimal() else path.name
        return path.name

    def use_library(self) -> None:
        """Use the one in use among the user's models, from the next scan on."""
        self._settings.model = DEFAULT_MODEL
        self._overrides = replace(self._overrides, model=None)

    @property
    def device(self) -> str:
        """ "auto", "cpu" or "cuda"."""
        return self._overrides.device or self._settings.device

    @property
    def output(self) -> Path:
        """Below it each scan gets a folder for its planes."""
        return self._overrides.output or self._settings.output_folder

    @property
    def protocol(self) -> str:
        """Id of the protocol; or `checklist_state.AUTOMATIC` or `NO_PROTOCOL`."""
        overridden = self._overrides.protocol
        return self._settings.protocol if overridden is None else overridden

    def options(self, source: str) -> ScanOptions:
        """Everything that a scan of `source` needs."""
        return ScanOptions(source, self.model, self.device, self.output, self._overrides.record, self.clips)

    @property
    def quality(self) -> Quality:
        """How a scan is recorded."""
        return self._overrides.record or self._settings.quality

    def use_quality(self, quality: Quality) -> None:
        """Record in this quality from now on."""
        self._settings.quality = quality
        if self._overrides.record is not None:
            self._overrides = replace(self._overrides, record=quality)

    @property
    def clips(self) -> bool:
        """Whether a clip is saved with every plane."""
        return self._overrides.clips and self._settings.clips

    def use_clips(self, on: bool) -> None:
        """Save a clip with every plane, or do not, from the next scan on."""
        self._settings.clips = on
        self._overrides = replace(self._overrides, clips=True)

    @property
    def data(self) -> Path:
        """What is remembered beside the settings: masks, servers, what waits to be sent."""
        return self._overrides.data or data_folder()

    def use_model(self, path: str) -> None:
        """Use this model file from the next scan on."""
        self._settings.model = Path(path)
        self._overrides = replace(self._overrides, model=None)

    def use_device(self, device: str) -> None:
        """Use this device from the next scan on."""
        self._settings.device = device
        self._overrides = replace(self._overrides, device=None)

    def use_protocol(self, protocol_id: str) -> None:
        """Follow this protocol from now on."""
        self._settings.protocol = protocol_id
        self._overrides = replace(self._overrides, protocol=None)

    def use_output(self, folder: str) -> None:
        """Write planes below this folder from the next scan on."""
        self._settings.output_folder = Path(folder)
        self._overrides = replace(self._overrides, output=None)

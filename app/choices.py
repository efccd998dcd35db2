"""What this window's next scan will use: model, device, folder, protocol, and how it is recorded.

The command line's word goes first, then what the user chose before. It is read once, when the window opens:
another window that chooses something else changes what windows opened later begin with, not this one.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from app.formatting import own_model
from app.scan_options import Overrides, ScanOptions
from app.settings import Settings
from semc_core.errors import ModelFileError
from semc_core.io.video_quality import Quality
from semc_core.language import _
from semc_core.model.registry import INDEX_NAME, ModelRegistry
from semc_core.paths import DEFAULT_MODEL, data_folder
from semc_core.picture_options import AS_IT_IS, PictureOptions

if TYPE_CHECKING:
    from semc_core.sources.open import Images


class Choices:
    """Of one window. What the user chooses in it wins from then on, and is remembered for windows to come.

    Attributes:
        device: "auto", "cpu" or "cuda".
        output: Below it each scan gets a folder for its planes.
        protocol: Id of the protocol; or `app.checklist.presenter.AUTOMATIC` or `NO_PROTOCOL`.
        quality: How a scan is recorded.
        clips: Whether a clip is saved with every plane.
    """

    def __init__(self, settings: Settings, overrides: Overrides) -> None:
        self._settings = settings
        self._overrides = overrides
        self._chosen = overrides.model or settings.model
        self._in_use = self._read_in_use()[0]
        self.device = overrides.device or settings.device
        self.output = overrides.output or settings.output_folder
        self.protocol = settings.protocol if overrides.protocol is None else overrides.protocol
        self.quality = overrides.record or settings.quality
        self.clips = overrides.clips and settings.clips
        self._record = overrides.record is not None

    @property
    def registry(self) -> ModelRegistry:
        """The user's models."""
        return ModelRegistry(self.data / "models")

    @property
    def model(self) -> Path:
        """Model file: the one that was named; else the one in use among the user's models.

        Where that is gone or damaged it is named all the same: opening it says what is wrong.
        """
        return self._chosen or self._in_use

    @property
    def model_title(self) -> str:
        """What the model is called."""
        path = self.model
        if path == DEFAULT_MODEL:
            return _("The model that came with the program")
        return self._title(path, path.name)

    def _title(self, path: Path, otherwise: str) -> str:
        """The user's models by their numbers."""
        own = path.parent == self.registry.folder and path.name[:4].isdecimal()
        return own_model(int(path.name[:4])) if own else otherwise

    def _read_in_use(self) -> tuple[Path, str]:
        """The model in use among the user's models, and what is wrong with the list of them, or ""."""
        registry = self.registry
        try:
            current = registry.current()
        except ModelFileError as error:
            return registry.folder / INDEX_NAME, str(error)
        return (DEFAULT_MODEL if current is None else registry.folder / current.file), ""

    def look_again(self) -> str:
        """Follow the one in use among the user's models, which another window may have changed.

        Returns:
            What this window's next scan uses now, a sentence for the user; "" where it is the same as before.
        """
        before, title = self.model, self.model_title
        self._in_use, fault = self._read_in_use()
        if self.model == before:
            return ""
        return fault or _(
            "The model in use was changed outside of this window. From its next scan on this window uses "
            "“{now}”, no longer “{before}”; choose another on the start page if you wish.",
            now=self.model_title,
            before=title,
        )

    def use_registered(self) -> None:
        """Use the one in use among the user's models, from the next scan on."""
        self._settings.model = self._chosen = None
        self._in_use = self._read_in_use()[0]

    def options(self, source: str) -> ScanOptions:
        """Everything that a scan of `source` needs."""
        from semc_core.sources.devices.true_delay import read_delays
        from semc_core.sources.raw.tap import RawTap

        return ScanOptions(
            source, self.model, self.device, self.output, self.quality if self._record else None, self.clips,
            self.images, self._overrides.mode, self._overrides.options, self._settings.cards(),
            read_delays(self.data), RawTap(keeping=self._overrides.tap),
            self._title(self.model, self.model.stem), self.protocol,
        )  # fmt: skip

    @property
    def picture_options(self) -> PictureOptions:
        """How pictures are read, as the command line says it."""
        return self._overrides.options or AS_IT_IS

    @property
    def images(self) -> Images:
        """What a folder of images is."""
        return self._overrides.images

    @property
    def data(self) -> Path:
        """What is remembered beside the settings: masks, servers, what waits to be sent."""
        return self._overrides.data or data_folder()

    def use_quality(self, quality: Quality) -> None:
        """Record in this quality from now on."""
        self._settings.quality = quality
        self.quality = self._settings.quality  # which a site may have set

    def use_clips(self, on: bool) -> None:
        """Save a clip with every plane, or do not, from the next scan on."""
        self._settings.clips = on
        self.clips = self._settings.clips

    def use_model(self, path: str) -> None:
        """Use this model file from the next scan on."""
        chosen = Path(path)
        # Who chooses what is in use anyway follows the one in use, as before a choice.
        self._settings.model = self._chosen = None if chosen == self._in_use else chosen

    def use_device(self, device: str) -> None:
        """Use this device from the next scan on."""
        self._settings.device = device
        self.device = self._settings.device

    def use_protocol(self, protocol_id: str) -> None:
        """Follow this protocol from the next scan on."""
        self._settings.protocol = protocol_id
        self.protocol = self._settings.protocol

    def use_output(self, folder: str) -> None:
        """Write planes below this folder from the next scan on."""
        self._settings.output_folder = Path(folder)
        self.output = self._settings.output_folder

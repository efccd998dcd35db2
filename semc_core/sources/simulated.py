"""The simulated scan as a source: a patient that anyone can scan."""

from __future__ import annotations

from semc_core.phantom.scan import SimulatedScan
from semc_core.picture import Picture
from semc_core.picture_options import AS_IT_IS, PictureOptions
from semc_core.sources.base import BaseSource, Grabbed
from semc_core.sources.frames.shown import stored_as
from semc_core.sources.frames.upright import Upright
from semc_core.types import SourceInfo


class SimulatedSource(BaseSource):
    """A simulated patient's scan. Waits for its reader; `PacedSource` plays it at its own speed.

    Args:
        seed: Patient, sonographer and machine.
        seconds: Length; None never ends.
        width: Pixels.
        height: Pixels.
        frame_rate: Frames per second.
        furniture: Whether the scanner's screen texts are drawn.
        options: How its pictures are read.
    """

    def __init__(
        self,
        seed: int = 2007,
        seconds: float | None = None,
        width: int = 640,
        height: int = 480,
        frame_rate: float = 30.0,
        furniture: bool = True,
        options: PictureOptions = AS_IT_IS,
    ) -> None:
        self._scan = SimulatedScan(seed, seconds, width, height, frame_rate, furniture)
        self._options = options
        height, width = Upright().wished(options, height, width).shape(height, width)
        super().__init__(
            SourceInfo(
                source_id=f"simulated scan, patient {seed}",
                kind="simulated",
                width=width,
                height=height,
                frame_rate=frame_rate,
                frame_count=self._scan.frame_count,
                live=False,
            ),
            options,
        )

    def _grab(self) -> Grabbed | None:
        index = self._next_index
        if self._scan.frame_count is not None and index >= self._scan.frame_count:
            return None
        return Grabbed(
            Picture(stored_as(self._scan.frame(index), self._options)), index / self._scan.frame_rate
        )

    def _release(self) -> None:
        """Nothing is held."""

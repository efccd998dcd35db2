"""A simulated scan: patient, sonographer and machine from one seed; any frame at any time, with its truth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semc_core.labels import NON_STANDARD
from semc_core.phantom.anatomy import Anatomy
from semc_core.phantom.bmode import BModeScanner
from semc_core.phantom.planes import Truth, nearest_plane
from semc_core.phantom.probe import Machine, Pose, frame_of
from semc_core.phantom.screen import ScreenFurniture
from semc_core.phantom.trajectory import ScanPath


class SimulatedScan:
    """A scan of one simulated patient. The same arguments give the same frames, in any order of calls.

    Args:
        seed: Patient, sonographer and machine.
        seconds: Length; None never ends.
        width: Of the frames, pixels.
        height: Of the frames, pixels.
        frame_rate: Frames per second.
        furniture: Whether text, ruler and marks of a scanner's screen are drawn.
    """

    def __init__(
        self,
        seed: int,
        seconds: float | None = None,
        width: int = 640,
        height: int = 480,
        frame_rate: float = 30.0,
        furniture: bool = True,
    ) -> None:
        self.seed, self.width, self.height, self.frame_rate = seed, width, height, frame_rate
        self.frame_count = None if seconds is None else round(seconds * frame_rate)
        self.anatomy = Anatomy(seed)
        self.machine = Machine.for_seed(seed)
        self.path = ScanPath(self.anatomy, seed)
        self.scanner = BModeScanner(self.anatomy, self.machine, width, height)
        self._screen = (
            ScreenFurniture(self.machine, self.scanner.geometry, width, height, seed) if furniture else None
        )

    def frame(self, index: int) -> NDArray[np.uint8]:
        """uint8 (height, width) gray: frame `index`, from 0."""
        time_s = index / self.frame_rate
        now = self.path.at(time_s)
        if now.lifted:
            picture = self.scanner.air(self._noise_seed(index))
        else:
            image_plane = frame_of(now.pose, self.anatomy)
            picture = self.scanner.picture(image_plane, now.breath_mm, now.beat, self._noise_seed(index))
        if self._screen is not None:
            self._screen.draw(picture, time_s)
        return picture

    def truth(self, index: int) -> Truth:
        """What frame `index` shows. Costs little: nothing is drawn."""
        time_s = index / self.frame_rate
        now = self.path.at(time_s)
        if now.lifted:
            return Truth(index, time_s, NON_STANDARD, float("inf"))
        plane, distance = nearest_plane(now.pose, self.path.planes, now.breath_mm)
        return Truth(index, time_s, plane, distance)

    def at_pose(self, pose: Pose, noise_seed: int = 0, breath_mm: float = 0.0) -> NDArray[np.uint8]:
        """uint8 (height, width): the picture at a pose of the caller's choice, without furniture."""
        return self.scanner.picture(frame_of(pose, self.anatomy), breath_mm, 0.0, noise_seed)

    def _noise_seed(self, index: int) -> int:
        return (self.seed * 1_000_003 + index) & 0x7FFFFFFF

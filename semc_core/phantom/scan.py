"""A simulated scan: patient, sonographer and machine from one seed; any frame at any time, with its truth.

What a scanner writes round the picture, as a capture card sees it: text, ruler, gray bar, marker.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.labels import NON_STANDARD
from semc_core.phantom.anatomy import Anatomy
from semc_core.phantom.bmode import BModeScanner, SectorGeometry
from semc_core.phantom.probe import Machine, Pose, frame_of
from semc_core.phantom.trajectory import ScanPath, Truth, nearest_plane


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


class ScreenFurniture:
    """Draws the scanner's screen round a picture. Varies with the seed; no patient data, not even made up.

    Args:
        machine: Settings that the screen shows.
        geometry: Where the sector is.
        width: Screen width, pixels.
        height: Screen height, pixels.
        seed: Of the layout.
    """

    def __init__(
        self, machine: Machine, geometry: SectorGeometry, width: int, height: int, seed: int
    ) -> None:
        rng = np.random.default_rng([seed, 7])
        self._still = np.zeros((height, width), np.uint8)
        self._scale = height / 480
        bright = int(rng.integers(120, 230))
        lines = [
            "SIMULATED SCAN",
            f"C{rng.integers(1, 6) + 3}-{rng.integers(1, 3)} Abdomen",
            f"{machine.frequency_mhz:.1f} MHz  {machine.depth_mm / 10:.1f} cm",
            f"Gain {machine.gain_db:+.0f}  DR {machine.dynamic_range_db:.0f}",
            f"MI {rng.uniform(0.6, 1.3):.1f}  TIs {rng.uniform(0.1, 0.9):.1f}",
        ]
        at_left = rng.random() < 0.7
        for row, line in enumerate(lines[: int(rng.integers(2, 6))]):
            x = 8 if at_left else int(width - 150 * self._scale)
            self._write(line, x, (16 + 15 * row) * self._scale, bright)
        self._ruler(machine, geometry, bright)
        if rng.random() < 0.6:
            self._gray_bar(width, height, left=not at_left)
        x = int(geometry.centre_px - 0.23 * width)
        cv2.circle(
            self._still, (max(x, 8), int(14 * self._scale)), int(4 * self._scale), bright, -1, cv2.LINE_AA
        )
        self._clock_at = (8, height - 8 * self._scale) if rng.random() < 0.7 else None
        self._clock_bright = bright

    def draw(self, picture: NDArray[np.uint8], time_s: float) -> None:
        """Draw over `picture` (uint8 (height, width)) in place."""
        np.maximum(picture, self._still, out=picture)
        if self._clock_at is not None:
            x, y = self._clock_at
            text = f"{int(time_s) // 60:02d}:{int(time_s) % 60:02d}"
            self._write(text, x, y, self._clock_bright, picture)

    def _write(self, text: str, x: float, y: float, bright: int, on: NDArray[np.uint8] | None = None) -> None:
        target = self._still if on is None else on
        cv2.putText(
            target,
            text,
            (int(x), int(y)),
            cv2.FONT_HERSHEY_SIMPLEX,
            0.38 * self._scale,
            bright,
            1,
            cv2.LINE_AA,
        )

    def _ruler(self, machine: Machine, geometry: SectorGeometry, bright: int) -> None:
        x = self._still.shape[1] - int(14 * self._scale)
        for centimetre in range(int(machine.depth_mm // 10) + 1):
            y = int(geometry.skin_px + centimetre * 10 * geometry.px_per_mm)
            length = int((6 if centimetre % 5 == 0 else 3) * self._scale)
            if y < self._still.shape[0]:
                cv2.line(self._still, (x, y), (x + length, y), bright, 1)

    def _gray_bar(self, width: int, height: int, left: bool) -> None:
        bar_height, bar_width = int(0.22 * height), max(4, int(0.012 * width))
        ramp = np.linspace(255, 0, bar_height).astype(np.uint8)[:, None]
        x = int(0.02 * width) if left else int(0.94 * width)
        y = int(0.22 * height)
        self._still[y : y + bar_height, x : x + bar_width] = ramp

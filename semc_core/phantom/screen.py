"""What a scanner writes round the picture, as a capture card sees it: text, ruler, gray bar, marker."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.phantom.bmode import SectorGeometry
from semc_core.phantom.probe import Machine


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

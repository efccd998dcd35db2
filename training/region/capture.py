"""What a screen becomes on its way: resampled, brighter or darker, noisy, compressed."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def captured(rng: np.random.Generator, screen: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A screen, uint8 (H, W, 3), as a capture card, a stream or a codec hands it over."""
    height, width = screen.shape[:2]
    pixels = screen
    if rng.random() < 0.2:
        scale = rng.uniform(0.5, 0.9)
        small = cv2.resize(pixels, (int(width * scale), int(height * scale)), interpolation=cv2.INTER_AREA)
        pixels = np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
    if rng.random() < 0.25:
        gain, lift = rng.uniform(0.7, 1.15), rng.choice([0, 0, rng.uniform(0, 20)])
        table = np.clip(np.arange(256) * gain + lift, 0, 255).astype(np.uint8)
        pixels = np.asarray(cv2.LUT(pixels, table), np.uint8)
    if rng.random() < 0.2:
        noise = rng.normal(0, rng.uniform(0.5, 3), (height, width, 1)).astype(np.float32)
        pixels = np.clip(pixels + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.4:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(40, 96))]
        pixels = np.asarray(
            cv2.imdecode(cv2.imencode(".jpg", pixels, quality)[1], cv2.IMREAD_COLOR), np.uint8
        )
    return np.ascontiguousarray(pixels)

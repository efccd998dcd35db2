"""Random changes of a batch of stored frames, all at once.

They are what differs between scanners, hands and cables.

Shapes: B batch, h x w stored pixels, s output rows, c output columns, as many as keep the stored shape.
No left-right flips: a plane has a left and a right. No
large turns: a plane seen from the side is another one.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from training.transforms.config import AugmentOptions


class Augmenter:
    """Changes batches. One generator decides everything, so the same state gives the same batch."""

    def __init__(self, generator: torch.Generator, options: AugmentOptions | None = None) -> None:
        self._generator = generator
        self._options = options or AugmentOptions()

    def __call__(self, frames: Tensor, side: int) -> Tensor:
        """Random versions of frames.

        Args:
            frames: uint8 (B, h, w).
            side: s, rows of the result.

        Returns:
            float (B, 1, s, c), 0-1, not yet normalised.
        """
        batch = self._moved(to_side(frames, side))
        batch = self._toned(batch)
        batch = self._shadowed(batch)
        batch = self._blurred(batch)
        batch = batch + self._noise(batch)
        return self._erased(batch).clamp_(0, 1)

    def _uniform(self, count: int, low: float, high: float) -> Tensor:
        return torch.rand(count, generator=self._generator) * (high - low) + low

    def _happens(self, count: int, share: float) -> Tensor:
        return (torch.rand(count, generator=self._generator) < share).float()

    def _moved(self, batch: Tensor) -> Tensor:
        """Turned, scaled, shifted and stretched, black outside."""
        o, (count, _, rows, columns) = self._options, batch.shape
        angle = torch.deg2rad(self._uniform(count, -o.turn_deg, o.turn_deg))
        inverse = 1 / self._uniform(count, *o.scale)
        stretch = self._uniform(count, 1 - o.stretch, 1 + o.stretch)
        cos, sin = torch.cos(angle) * inverse, torch.sin(angle) * inverse
        away = 2 * o.shift
        x, y = self._uniform(count, -away, away), self._uniform(count, -away, away)
        # Both axes run from -1 to 1: what is turned must be measured in pixels.
        across, down = -sin * (rows / columns), sin * (columns / rows)
        theta = torch.stack(
            [torch.stack([cos * stretch, across, x], dim=1), torch.stack([down, cos / stretch, y], dim=1)],
            dim=1,
        )
        grid = F.affine_grid(theta, [count, 1, rows, columns], align_corners=False)
        return F.grid_sample(batch, grid, mode="bilinear", padding_mode="zeros", align_corners=False)

    def _toned(self, batch: Tensor) -> Tensor:
        """Gamma, gain, and time-gain tilted over depth; black stays black."""
        o, count = self._options, len(batch)
        gamma = o.gamma ** self._uniform(count, -1, 1)
        gain = o.gain ** self._uniform(count, -1, 1)
        tilt = self._uniform(count, -o.tilt, o.tilt)
        depth = torch.linspace(-0.5, 0.5, batch.shape[2])
        factor = gain[:, None] * (1 + tilt[:, None] * depth)
        return batch.clamp(0, 1).pow(gamma.view(-1, 1, 1, 1)) * factor[:, None, :, None]

    def _shadowed(self, batch: Tensor) -> Tensor:
        """A dark wedge that widens from a point above the picture, as behind a rib or under lost contact."""
        count, _, rows, columns = batch.shape
        down, across = torch.linspace(-1, 1, rows), torch.linspace(-1, 1, columns)
        apex_y = -1.6
        angle = torch.atan2(across[None, :], (down - apex_y)[:, None])
        centre = self._uniform(count, -0.45, 0.45).view(-1, 1, 1)
        half = self._uniform(count, 0.02, 0.09).view(-1, 1, 1)
        depth = self._uniform(count, 0.3, 0.9).view(-1, 1, 1) * self._happens(
            count, self._options.shadow
        ).view(-1, 1, 1)
        inside = torch.sigmoid((half - (angle[None] - centre).abs()) * 120)
        return batch * (1 - depth * inside)[:, None]

    def _blurred(self, batch: Tensor) -> Tensor:
        """Some frames softened, some sharpened, by a share of the difference to their 3 x 3 mean."""
        share = self._uniform(len(batch), -0.5, 1.0) * self._happens(len(batch), self._options.blur)
        soft = F.avg_pool2d(batch, 3, stride=1, padding=1)
        return batch + (soft - batch) * share.view(-1, 1, 1, 1)

    def _noise(self, batch: Tensor) -> Tensor:
        """Additive, and growing with the gray level; only where there is a picture."""
        strength = self._uniform(len(batch), 0, self._options.noise).view(-1, 1, 1, 1)
        noise = torch.randn(batch.shape, generator=self._generator)
        return noise * strength * (0.3 + batch) * (batch > 0.01)

    def _erased(self, batch: Tensor) -> Tensor:
        """Some frames lose a rectangle of up to a third of the side: a menu, a mark, a finger's shadow."""
        count = len(batch)
        gone = self._happens(count, self._options.erase).view(-1, 1, 1)
        for axis in (1, 2):
            line = torch.arange(batch.shape[1 + axis]).float() / batch.shape[1 + axis]
            start = self._uniform(count, 0, 0.9)[:, None]
            inside = ((line >= start) & (line < start + self._uniform(count, 0.05, 0.3)[:, None])).float()
            gone = gone * inside.unsqueeze(3 - axis)
        return batch * (1 - gone)[:, None]


def to_side(frames: Tensor, side: int) -> Tensor:
    """Stored frames as a batch, not changed but in size.

    Args:
        frames: uint8 (B, h, w).
        side: s. Shrinking averages, as `preprocess.prepare` does.

    Returns:
        float (B, 1, s, c), 0-1.
    """
    batch = frames[:, None].float() / 255
    rows, columns = batch.shape[2:]
    size = side, round(side * columns / rows)
    if (rows, columns) == size:
        return batch
    if side < rows:
        return F.interpolate(batch, size=size, mode="area")
    return F.interpolate(batch, size=size, mode="bilinear", align_corners=False)

"""Ultrasound pictures with their exact outline: drawn sectors filled with textures, simulated and real ones.

Shapes: H, W pixels; u runs across the beams and v along them, both 0-1 inside of a sector.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from training.region.beams import make_beams
from training.region.textures import Bank

Floats = NDArray[np.float32]
Gray = NDArray[np.uint8]

KINDS: Final = ("convex", "phased", "endocavity", "linear", "virtual convex", "simulated", "real")
HELD_OUT_KINDS: Final = ("steered", "convex", "linear", "simulated")
"""What the network is judged on; steered pictures are never trained on."""

_SHARES: Final = (0.32, 0.1, 0.08, 0.2, 0.12, 0.1, 0.08)
_BEAMS: Final = (256, 192)  # samples, lines of a texture
_SEEN: Final = 2.0  # gray levels over black
_SEEN_SHARE: Final = 0.15  # of what lies along an edge is at least so bright


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """A picture as a scanner makes it, without anything round it.

    Attributes:
        pixels: uint8 (H, W) gray or (H, W, 3) RGB; black outside of the sector.
        mask: bool (H, W), the sector, its black parts too.
        kind: How its beams run.
        coloured: Whether a colour box of a flow mode lies in it.
    """

    pixels: Gray
    mask: NDArray[np.bool_]
    kind: str
    coloured: bool = False


def make_scan(rng: np.random.Generator, bank: Bank, height: int, width: int, held_out: bool = False) -> Scan:
    """A picture that fits into (height, width), often cut off by these borders."""
    kind = str(rng.choice(HELD_OUT_KINDS) if held_out else rng.choice(KINDS, p=_SHARES))
    if kind == "real" and bank.outlined:
        return _real(rng, bank, height, width)
    if kind == "simulated" and bank.simulated:
        return _marked(
            rng, *_placed(rng, *bank.simulated[int(rng.integers(len(bank.simulated)))], height, width), kind
        )
    if kind in ("real", "simulated"):
        kind = "convex"
    u, v = make_beams(rng, kind, height, width)
    mask = (u >= 0) & (u <= 1) & (v >= 0) & (v <= 1)
    texture = _lit(rng, bank.texture(rng, *_BEAMS))
    if rng.random() < 0.05:  # a probe shown below
        u, v, mask = u[::-1], v[::-1], mask[::-1]
    rows, columns = v * (_BEAMS[0] - 1), u * (_BEAMS[1] - 1)
    drawn = cv2.remap(texture, columns.astype(np.float32), rows.astype(np.float32), cv2.INTER_LINEAR)
    pixels = np.where(mask, np.clip(drawn, 0, 255), 0).astype(np.uint8)
    return _marked(rng, pixels, np.ascontiguousarray(mask), kind)


def _lit(rng: np.random.Generator, texture: Floats) -> Floats:
    """A texture as it comes out at some gain: shadows, bad contact, depths without echo, noise."""
    samples, lines = texture.shape
    depth = np.linspace(0, 1, samples, dtype=np.float32)[:, None]
    level = texture * np.float32(rng.uniform(0.45, 1.5))
    if rng.random() < 0.5:  # an enlarged texture is too smooth for a scan
        level *= cv2.GaussianBlur(rng.rayleigh(0.8, texture.shape), (0, 0), 0.7).astype(np.float32)
    level *= 1 + np.float32(rng.uniform(-0.6, 0.5)) * (depth - 0.5)
    if rng.random() < 0.5:  # bright where the probe lies on
        level += np.float32(rng.uniform(20, 120)) * np.exp(-depth / np.float32(rng.uniform(0.01, 0.05)))
    if rng.random() < 0.4:  # nothing comes back from the depth
        start, steep = rng.uniform(0.3, 0.9), rng.uniform(0.05, 0.3)
        level *= 1 / (1 + np.exp((depth - np.float32(start)) / np.float32(steep * 0.4)))
    across = np.ones(lines, np.float32)
    for _ in range(int(rng.integers(0, 4)) if rng.random() < 0.5 else 0):
        middle, broad = rng.uniform(0, lines), rng.uniform(2, lines / 6)
        shadow = np.exp(-(((np.arange(lines) - middle) / broad) ** 2)).astype(np.float32)
        across *= 1 - np.float32(rng.uniform(0.3, 1)) * shadow
    if rng.random() < 0.2:  # the probe's end does not touch
        end = rng.uniform(0.05, 0.3) * lines
        edge = np.clip(np.arange(lines) / end, rng.uniform(0, 0.4), 1).astype(np.float32)
        across *= edge if rng.random() < 0.5 else edge[::-1]
    level *= 1 + (across[None] - 1) * np.minimum(depth * 8, 1)
    if rng.random() < 0.25:  # what is weaker than the scanner's reject level is not shown
        level[level < np.float32(rng.uniform(5, 30))] = 0
    else:
        noise = rng.normal(0, rng.uniform(0.3, 3.5), texture.shape).astype(np.float32)
        level += np.abs(noise) + np.float32(rng.choice([0, 0, rng.uniform(0, 8)]))
    return _with_edges(rng, np.asarray(np.clip(level, 0, 255), np.float32))


def _with_edges(rng: np.random.Generator, level: Floats) -> Floats:
    """A sector of which an edge shows nothing at all gets some noise: where it ends nobody could say."""
    samples, lines = level.shape[0] // 10, level.shape[1] // 10
    edges = (level[:samples], level[-samples:], level[:, :lines], level[:, -lines:])
    if all((edge >= _SEEN).mean() >= _SEEN_SHARE for edge in edges):
        return level
    noise = np.abs(rng.normal(0, 2.5, level.shape)) + rng.uniform(1, 4)
    return np.asarray(np.maximum(level, noise), np.float32)


def _placed(
    rng: np.random.Generator, pixels: Gray, mask: NDArray[np.bool_], height: int, width: int
) -> tuple[Gray, NDArray[np.bool_]]:
    """A whole picture scaled and moved into (height, width), sometimes larger than it."""
    scale = min(height / pixels.shape[0], width / pixels.shape[1])
    scale *= rng.uniform(1.05, 1.6) if rng.random() < 0.3 else rng.uniform(0.75, 1.0)
    stretch = rng.uniform(0.85, 1.18) if rng.random() < 0.4 else 1.0
    spare = width - pixels.shape[1] * scale * stretch, height - pixels.shape[0] * scale
    matrix = np.array(
        [[scale * stretch, 0, spare[0] * rng.random()], [0, scale, spare[1] * rng.random()]], np.float32
    )
    if rng.random() < 0.5:
        pixels, mask = np.ascontiguousarray(pixels[:, ::-1]), np.ascontiguousarray(mask[:, ::-1])
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    moved = cv2.warpAffine(pixels, matrix, (width, height), flags=method)
    covered = (
        cv2.warpAffine(mask.astype(np.uint8) * 255, matrix, (width, height), flags=cv2.INTER_LINEAR) > 127
    )
    return moved.astype(np.uint8), covered


def _real(rng: np.random.Generator, bank: Bank, height: int, width: int) -> Scan:
    pixels, mask = bank.outlined[int(rng.integers(len(bank.outlined)))]
    pixels, mask = _placed(rng, pixels, mask, height, width)
    level = np.clip(np.arange(256) * rng.uniform(0.6, 1.4), 0, 255).astype(np.uint8)
    return _marked(rng, cv2.LUT(pixels, level).astype(np.uint8), mask, "real")


def _marked(rng: np.random.Generator, pixels: Gray, mask: NDArray[np.bool_], kind: str) -> Scan:
    """With what a scanner or its user draws over the picture: calipers, words, a colour box, a tint."""
    for _ in range(int(rng.integers(1, 5)) if rng.random() < 0.35 else 0):
        _caliper(rng, pixels)
    coloured = bool(rng.random() < 0.12)
    if coloured:
        return Scan(_with_flow(rng, pixels, mask), mask, kind, coloured)
    if rng.random() < 0.15:
        tint = rng.uniform(0.75, 1.0, 3)
        return Scan(np.clip(pixels[..., None] * tint, 0, 255).astype(np.uint8), mask, kind)
    return Scan(pixels, mask, kind)


def _caliper(rng: np.random.Generator, pixels: Gray) -> None:
    height, width = pixels.shape
    ends = [(int(rng.uniform(0.1, 0.9) * width), int(rng.uniform(0.1, 0.9) * height)) for _ in range(2)]
    bright = int(rng.integers(140, 256))
    arm = max(2, height // 90)
    for x, y in ends:
        cv2.drawMarker(
            pixels, (x, y), bright, int(rng.choice([cv2.MARKER_CROSS, cv2.MARKER_TILTED_CROSS])), 2 * arm, 1
        )
    if rng.random() < 0.6:
        for share in np.linspace(0, 1, 24):
            x = int(ends[0][0] + share * (ends[1][0] - ends[0][0]))
            y = int(ends[0][1] + share * (ends[1][1] - ends[0][1]))
            cv2.circle(pixels, (x, y), 0, bright, -1)
    if rng.random() < 0.4:
        cv2.putText(
            pixels,
            f"{rng.uniform(1, 99):.1f}mm",
            ends[0],
            cv2.FONT_HERSHEY_SIMPLEX,
            height / 1100,
            bright,
            1,
            cv2.LINE_AA,
        )


def _with_flow(rng: np.random.Generator, pixels: Gray, mask: NDArray[np.bool_]) -> Gray:
    """A colour box with patches of red and blue, uint8 (H, W, 3)."""
    height, width = pixels.shape
    colour = np.repeat(pixels[..., None], 3, axis=2)
    left, top = int(rng.uniform(0.2, 0.5) * width), int(rng.uniform(0.15, 0.5) * height)
    right, bottom = left + int(rng.uniform(0.15, 0.4) * width), top + int(rng.uniform(0.15, 0.4) * height)
    field = cv2.resize(
        rng.normal(0, 1, (8, 10)).astype(np.float32),
        (right - left, bottom - top),
        interpolation=cv2.INTER_CUBIC,
    )
    part = colour[top:bottom, left:right]
    field = field[: part.shape[0], : part.shape[1]]
    strong = np.clip(np.abs(field) * 150, 0, 255)
    for channel, where in ((0, field > 0.6), (2, field < -0.6)):
        part[where] = part[where] // 4
        part[..., channel][where] = strong[where]
    colour[~mask] = 0
    cv2.rectangle(colour, (left, top), (right, bottom), (220, 220, 220), 1)
    return colour

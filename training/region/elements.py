"""What stands on a screen beside an ultrasound picture: words, rulers, bars, traces, controls, windows.

Each function draws into a canvas, uint8 (H, W, 3) RGB, in place, inside of a box.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import cv2
import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from semc_core.types import Crop

Canvas = NDArray[np.uint8]
Colour = tuple[int, int, int]

# fmt: off
_WORDS: Final = (
    "gain", "depth", "freq", "focus", "dynamic", "range", "map", "persist", "frame", "rate", "power",
    "output", "thermal", "index", "mech", "abdomen", "obstetric", "small", "parts", "vascular", "cardiac",
    "linear", "convex", "probe", "preset", "patient", "name", "birth", "date", "exam", "study", "series",
    "image", "measure", "distance", "area", "volume", "angle", "result", "report", "print", "store",
    "freeze", "live", "review", "next", "back", "menu", "file", "edit", "view", "tools", "window", "help",
    "settings", "open", "close", "save", "cancel", "folder", "network", "search", "mail", "calendar",
    "notes", "page", "text", "left", "right", "upper", "lower", "start", "stop",
)
# fmt: on
_OWN_FONTS: Final = Path(__file__).resolve().parents[2] / "assets" / "fonts"
_FONTS: Final = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSansMono", "DejaVuSerif", "STIXGeneral")
_HELD_OUT_FONTS: Final = ("cmr10", "cmss10", "cmtt10", "DejaVuSansMono-Oblique")


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours and letters of one screen.

    Attributes:
        back: Of the screen.
        panel: Of panels and bars.
        ink: Of most words.
        accent: Of what is chosen or shall be seen.
        font: Name of a font, or "" for drawn strokes.
        dark: Whether it is a dark theme.
    """

    back: Colour
    panel: Colour
    ink: Colour
    accent: Colour
    font: str
    dark: bool


def make_theme(rng: np.random.Generator, held_out: bool = False) -> Theme:
    """Random colours; held-out screens have fonts and tints of their own."""
    dark = bool(rng.random() < 0.72)
    tint = rng.uniform(-1, 1, 3) * (18 if held_out else 10)
    if dark:
        back = 0.0 if rng.random() < 0.5 else float(rng.uniform(4, 70))
        panel = back + float(rng.uniform(0, 50))
        ink = float(rng.uniform(130, 255))
    else:
        back = float(rng.uniform(150, 255))
        panel = back - float(rng.uniform(-20, 60))
        ink = float(rng.uniform(0, 90))
    pure = back == 0.0
    accent = rng.uniform(40, 255, 3)
    fonts = _HELD_OUT_FONTS if held_out else _FONTS
    font = "" if rng.random() < 0.45 and not held_out else str(rng.choice(fonts))
    return Theme(
        (0, 0, 0) if pure else _colour(back + tint),
        _colour(panel + tint),
        _colour(ink + rng.uniform(-25, 25, 3)),
        _colour(accent),
        font,
        dark,
    )


def _colour(values: NDArray[np.float64]) -> Colour:
    red, green, blue = (int(v) for v in np.clip(values, 0, 255))
    return red, green, blue


def words(rng: np.random.Generator, count: int) -> str:
    """Words and numbers as screens have them; no names, no makers."""
    parts: list[str] = []
    for _ in range(count):
        fate = rng.random()
        if fate < 0.25:
            parts.append(f"{rng.uniform(0, 200):.{int(rng.integers(0, 3))}f}")
        elif fate < 0.32:
            parts.append(f"{rng.integers(0, 24):02d}:{rng.integers(0, 60):02d}:{rng.integers(0, 60):02d}")
        else:
            word = str(rng.choice(_WORDS))
            parts.append(
                word.upper() if rng.random() < 0.2 else word.capitalize() if rng.random() < 0.6 else word
            )
    return " ".join(parts)


def write(canvas: Canvas, text: str, x: int, y: int, size: int, colour: Colour, font: str) -> None:
    """Write `text` with its upper left corner at (x, y), `size` pixels high."""
    size = max(6, size)
    if not font:
        thick = 2 if size > 22 else 1
        cv2.putText(
            canvas, text, (x, y + size), cv2.FONT_HERSHEY_SIMPLEX, size / 30, colour, thick, cv2.LINE_AA
        )
        return
    glyphs = _glyphs(text, font, size)
    height, width = glyphs.shape
    top, left = max(0, y), max(0, x)
    part = canvas[top : y + height, left : x + width]
    if part.size:
        share = (
            glyphs[top - y : top - y + part.shape[0], left - x : left - x + part.shape[1], None].astype(
                np.float32
            )
            / 255
        )
        part[...] = (part * (1 - share) + np.array(colour, np.float32) * share).astype(np.uint8)


def _glyphs(text: str, font: str, size: int) -> NDArray[np.uint8]:
    drawn = _font(font, size)
    _, _, right, bottom = drawn.getbbox(text)
    image = Image.new("L", (max(1, int(right)), max(1, int(bottom))))
    ImageDraw.Draw(image).text((0, 0), text, font=drawn, fill=255)
    return np.asarray(image)


@lru_cache(maxsize=256)
def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    path = _OWN_FONTS / f"{name}.ttf"
    if not path.exists():
        path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{name}.ttf"
    return ImageFont.truetype(str(path), size)


def rectangle(canvas: Canvas, box: Crop, colour: Colour, filled: bool = True) -> None:
    """A box, filled or its outline."""
    end = (box.left + box.width - 1, box.top + box.height - 1)
    cv2.rectangle(canvas, (box.left, box.top), end, colour, -1 if filled else 1)


def text_block(
    rng: np.random.Generator,
    canvas: Canvas,
    box: Crop,
    theme: Theme,
    size: int | None = None,
    dense: bool = False,
) -> None:
    """Lines of words; a list of settings, or a page."""
    size = int(rng.integers(9, 20)) if size is None else size
    step = int(size * rng.uniform(1.25, 2.4))
    part = canvas[box.top : box.top + box.height, box.left : box.left + box.width]
    if not part.size:
        return
    fits = max(1, int(box.width / (size * 3.2)))
    y = int(rng.integers(0, step))
    while y + size < box.height:
        if dense or rng.random() < 0.7:
            ink = theme.accent if rng.random() < 0.08 else theme.ink
            count = fits if dense else int(rng.integers(1, fits + 1))
            write(part, words(rng, count), int(size * 0.4), y, size, ink, theme.font)
        y += step


def ruler(rng: np.random.Generator, canvas: Canvas, box: Crop, theme: Theme) -> None:
    """Depth ticks along the box's left side, some with numbers."""
    step = max(4, int(box.height / rng.integers(6, 24)))
    numbers = rng.random() < 0.5
    for count, y in enumerate(range(box.top, box.top + box.height, step)):
        long = count % 5 == 0
        length = max(2, box.width // (1 if long else 2))
        cv2.line(canvas, (box.left, y), (box.left + length, y), theme.ink, 1)
        if numbers and long:
            write(canvas, str(count), box.left + length + 2, y - 6, 10, theme.ink, theme.font)
    if rng.random() < 0.3:
        cv2.line(canvas, (box.left, box.top), (box.left, box.top + box.height), theme.ink, 1)


def scale_bar(rng: np.random.Generator, canvas: Canvas, box: Crop) -> None:
    """The gray or colour scale."""
    ramp = np.linspace(255, 0, max(2, box.height))[:, None, None] * np.ones((1, 1, 3))
    fate = rng.random()
    if fate < 0.3:  # flow: red above, blue below
        half = np.linspace(1, -1, max(2, box.height))[:, None]
        ramp = np.stack(
            [np.clip(half, 0, 1) * 255, np.abs(half) ** 3 * 200, np.clip(-half, 0, 1) * 255], axis=-1
        )
    elif fate < 0.45:
        ramp = ramp * np.array(rng.uniform(0.5, 1, 3))
    part = canvas[box.top : box.top + box.height, box.left : box.left + box.width]
    part[...] = ramp[: part.shape[0]].astype(np.uint8)


def body_mark(rng: np.random.Generator, canvas: Canvas, box: Crop, theme: Theme) -> None:
    """An outline of a body with a line for the probe."""
    middle = (box.left + box.width // 2, box.top + box.height // 2)
    axes = (max(2, int(box.width * rng.uniform(0.2, 0.45))), max(2, int(box.height * rng.uniform(0.3, 0.48))))
    cv2.ellipse(
        canvas,
        middle,
        axes,
        float(rng.uniform(-20, 20)),
        0,
        360,
        theme.ink,
        int(rng.integers(1, 3)),
        cv2.LINE_AA,
    )
    angle = rng.uniform(0, np.pi)
    reach = box.width * 0.25
    ends = [
        (int(middle[0] + sign * reach * np.cos(angle)), int(middle[1] + sign * reach * np.sin(angle)))
        for sign in (-1, 1)
    ]
    cv2.line(canvas, ends[0], ends[1], theme.accent, 2, cv2.LINE_AA)


def trace(rng: np.random.Generator, canvas: Canvas, box: Crop, colour: Colour) -> None:
    """An electrocardiogram, or another curve."""
    x = np.arange(box.width)
    period = max(12, box.width / rng.uniform(2, 9))
    phase = (x / period + rng.random()) % 1
    beat = (
        np.exp(-(((phase - 0.3) / 0.015) ** 2))
        + 0.25 * np.exp(-(((phase - 0.55) / 0.06) ** 2))
        + 0.04 * np.sin(x / 9)
    )
    y = box.top + box.height * (0.8 - 0.7 * np.clip(beat, -0.2, 1))
    points = np.stack([box.left + x, y], axis=1).astype(np.int32)
    cv2.polylines(canvas, [points], False, colour, int(rng.integers(1, 3)), cv2.LINE_AA)


def strip(rng: np.random.Generator, canvas: Canvas, box: Crop) -> None:
    """A spectral Doppler or an M-mode strip: an echo over time, no sector."""
    part = canvas[box.top : box.top + box.height, box.left : box.left + box.width]
    height, width = part.shape[:2]
    if height < 8 or width < 16:
        return
    rows = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    x = np.arange(width, dtype=np.float32)[None]
    if rng.random() < 0.5:
        line = 0.75 - 0.55 * np.abs(np.sin(x / width * np.pi * float(rng.uniform(2, 8)))) ** float(
            rng.uniform(0.6, 3)
        )
        level = ((rows > line) & (rows < 0.76)) * rng.uniform(60, 180)
        level = cv2.GaussianBlur(level.astype(np.float32), (0, 0), 1.5)
    else:
        bands = cv2.resize(
            rng.uniform(0, 150, (int(rng.integers(6, 20)), 1)).astype(np.float32),
            (1, height),
            interpolation=cv2.INTER_CUBIC,
        )
        wave = 0.04 * np.sin(x / width * np.pi * float(rng.uniform(4, 16)))
        at = np.clip((rows + wave) * (height - 1), 0, height - 1).astype(np.int32)
        level = bands[:, 0][at]
    noisy = level * rng.rayleigh(0.8, (height, width)) + rng.normal(0, 2, (height, width))
    part[...] = np.clip(noisy, 0, 255)[..., None].astype(np.uint8)
    cv2.line(
        canvas,
        (box.left, box.top + int(height * 0.76)),
        (box.left + width, box.top + int(height * 0.76)),
        (150, 150, 150),
        1,
    )


def buttons(rng: np.random.Generator, canvas: Canvas, box: Crop, theme: Theme) -> None:
    """Rows of buttons, round or square, with words, signs or nothing in them."""
    tall = max(10, int(rng.uniform(0.025, 0.07) * canvas.shape[0]))
    wide = min(box.width, max(10, int(tall * rng.uniform(1, 5))))
    gap = int(rng.integers(2, 12))
    face = _colour(np.array(theme.panel) + rng.uniform(-40, 60))
    for y in range(box.top + gap, box.top + box.height - tall, tall + gap):
        for x in range(box.left + gap, box.left + box.width - wide + 1, wide + gap):
            if rng.random() < 0.2:
                continue
            fill = theme.accent if rng.random() < 0.08 else face
            rectangle(canvas, Crop(x, y, wide, tall), fill)
            if rng.random() < 0.4:
                rectangle(canvas, Crop(x, y, wide, tall), theme.ink, filled=False)
            if rng.random() < 0.7:
                write(
                    canvas,
                    words(rng, 1)[: max(1, 2 * wide // tall)],
                    x + 3,
                    y + tall // 5,
                    int(tall * 0.5),
                    theme.ink,
                    theme.font,
                )


def photograph(rng: np.random.Generator, canvas: Canvas, box: Crop, photos: Sequence[Canvas]) -> None:
    """A part of a photograph, or clouds of colour as noise with the spectrum of one."""
    part = canvas[box.top : box.top + box.height, box.left : box.left + box.width]
    height, width = part.shape[:2]
    if min(height, width) < 4:
        return
    if photos and rng.random() < 0.6:
        photo = photos[int(rng.integers(len(photos)))]
        tall, wide = (max(8, int(side * rng.uniform(0.2, 1))) for side in photo.shape[:2])
        top, left = int(rng.integers(photo.shape[0] - tall + 1)), int(rng.integers(photo.shape[1] - wide + 1))
        shown = cv2.resize(photo[top : top + tall, left : left + wide], (width, height))
        if rng.random() < 0.2:
            shown = np.repeat(cv2.cvtColor(shown, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
        part[...] = shown
        return
    part[...] = _clouds(rng, height, width)


def _clouds(rng: np.random.Generator, height: int, width: int) -> Canvas:
    """Noise as coarse as a sky or as fine as leaves, in one colour or many."""
    octaves, fall = int(rng.integers(5, 9)), rng.uniform(0.55, 0.95)
    channels = 3 if rng.random() < 0.4 else 1
    clouds = np.zeros((height, width, channels), np.float32)
    for octave in range(1, octaves):
        cells = rng.normal(0, 1, (2**octave + 1, 2**octave + 1, channels)).astype(np.float32)
        layer = cv2.resize(cells, (width, height), interpolation=cv2.INTER_CUBIC)
        clouds += layer.reshape(clouds.shape) * np.float32(fall**octave)
    clouds /= max(1e-3, float(clouds.std()))
    colour = rng.uniform(40, 200, 3) + clouds * rng.uniform(15, 60) * rng.uniform(0.4, 1, 3)
    return np.clip(colour, 0, 255).astype(np.uint8)


def chart(rng: np.random.Generator, canvas: Canvas, box: Crop, theme: Theme) -> None:
    """Axes with curves or columns."""
    rectangle(canvas, box, theme.back)
    inner = Crop(
        box.left + box.width // 8, box.top + box.height // 10, box.width * 3 // 4, box.height * 3 // 4
    )
    rectangle(canvas, inner, theme.ink, filled=False)
    count = int(rng.integers(5, 40))
    values = np.clip(np.cumsum(rng.normal(0, 0.15, count)) + 0.5, 0, 1)
    xs = inner.left + np.linspace(0, inner.width - 1, count)
    ys = inner.top + (1 - values) * (inner.height - 1)
    if rng.random() < 0.5:
        cv2.polylines(
            canvas, [np.stack([xs, ys], axis=1).astype(np.int32)], False, theme.accent, 2, cv2.LINE_AA
        )
        return
    for x, y in zip(xs.astype(int).tolist(), ys.astype(int).tolist(), strict=True):
        wide = max(1, inner.width // (2 * count))
        rectangle(canvas, Crop(x, y, wide, inner.top + inner.height - y), theme.accent)

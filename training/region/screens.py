"""Screens with ultrasound pictures in them, drawn at random: every element, its colours and its place.

Screens are a scanner's own, a viewer's, a video player's, a desktop's with windows, or the bare picture.
The truth is the sector of each picture that could be the live one; a frozen one beside it looks the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.types import Crop
from training.region import elements
from training.region.capture import captured
from training.region.elements import Canvas, Theme
from training.region.marks import draw_marks
from training.region.pictures import Scan, make_scan
from training.region.textures import Bank

LAYOUTS: Final = ("scanner", "desktop", "viewer", "player", "bare", "filled", "nothing")
_SHARES: Final = (0.39, 0.2, 0.09, 0.05, 0.13, 0.06, 0.08)
_HELD_OUT_SHARES: Final = (0.42, 0.28, 0.1, 0.04, 0.06, 0.05, 0.05)
_SIZES: Final = (
    (640, 480), (720, 576), (800, 600), (1024, 768), (960, 540), (1280, 720), (1280, 1024), (1366, 768),
    (480, 480), (600, 800),
)  # fmt: skip
_HELD_OUT_SIZES: Final = (
    (640, 480),
    (720, 480),
    (1280, 800),
    (1440, 900),
    (1600, 900),
    (1920, 1080),
    (1920, 1200),
    (400, 400),
)


@dataclass(slots=True, eq=False)
class Screen:
    """A drawn screen and what is true of it.

    Attributes:
        pixels: uint8 (H, W, 3) RGB.
        sectors: bool (H, W) for each picture that could be the live one.
        layout: One of `LAYOUTS`.
        kinds: How the beams of each picture run.
        coloured: Whether there is a colour box of a flow mode.
        strip: Whether there is a strip of spectral Doppler or M-mode.
    """

    pixels: Canvas
    layout: str
    sectors: list[NDArray[np.bool_]] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    coloured: bool = False
    strip: bool = False

    def mask(self) -> NDArray[np.bool_]:
        """bool (H, W): all sectors."""
        return np.any(self.sectors, axis=0) if self.sectors else np.zeros(self.pixels.shape[:2], bool)


class ScreenMaker:
    """Draws screens. The same arguments and seed give the same screen.

    Args:
        bank: What the sectors are filled with.
        held_out: Draw screens of the kinds that are kept for judging: sizes, fonts, tints, sectors.
        photos: Photographs, uint8 (H, W, 3), for wallpapers and windows.
    """

    def __init__(self, bank: Bank, held_out: bool = False, photos: tuple[Canvas, ...] = ()) -> None:
        self._bank, self._held_out, self._photos = bank, held_out, photos

    def screen(self, seed: int) -> Screen:
        """Screen number `seed`."""
        rng = np.random.default_rng([seed, 31 if self._held_out else 30])
        sizes, shares = (_HELD_OUT_SIZES, _HELD_OUT_SHARES) if self._held_out else (_SIZES, _SHARES)
        width, height = sizes[int(rng.integers(len(sizes)))]
        layout = str(rng.choice(LAYOUTS, p=shares))
        drawn = _Drawn(
            Screen(np.zeros((height, width, 3), np.uint8), layout),
            self._bank,
            self._held_out,
            self._photos,
            rng,
        )
        drawn.draw()
        drawn.screen.pixels = captured(rng, drawn.screen.pixels)
        return drawn.screen


class _Drawn:
    """One screen on its way."""

    def __init__(
        self, screen: Screen, bank: Bank, held_out: bool, photos: tuple[Canvas, ...], rng: np.random.Generator
    ) -> None:
        self.screen, self._bank, self._held_out, self._photos, self._rng = screen, bank, held_out, photos, rng
        self._theme = elements.make_theme(rng, held_out)

    def draw(self) -> None:
        """Draw the layout."""
        height, width = self.screen.pixels.shape[:2]
        everything = Crop(0, 0, width, height)
        if self.screen.layout == "desktop":
            self._desktop(everything, with_scan=True)
        elif self.screen.layout == "nothing":
            self._nothing(everything)
        elif self.screen.layout == "filled":
            self._filled(everything)
        elif self.screen.layout == "bare":
            self._put(everything, self._scan(everything))
        elif self.screen.layout == "player":
            self._player(everything)
        else:
            self._scanner(everything, self._theme, viewer=self.screen.layout == "viewer")

    def _scan(self, box: Crop) -> Scan:
        return make_scan(self._rng, self._bank, box.height, box.width, self._held_out)

    def _put(self, box: Crop, scan: Scan, truth: bool = True) -> None:
        """Draw a scan in a box; where its sector is not, the screen shows through or the box is black."""
        canvas = self.screen.pixels[box.top : box.top + box.height, box.left : box.left + box.width]
        pixels = scan.pixels if scan.pixels.ndim == 3 else scan.pixels[..., None]
        np.copyto(canvas, pixels, where=scan.mask[..., None])
        if truth:
            sector = np.zeros(self.screen.pixels.shape[:2], bool)
            sector[box.top : box.top + box.height, box.left : box.left + box.width] = scan.mask
            self.screen.sectors.append(sector)
            self.screen.kinds.append(scan.kind)
            self.screen.coloured |= scan.coloured

    def _filled(self, box: Crop) -> None:
        """A picture cut out so that it has no black: it is all of the frame."""
        rng = self._rng
        texture = self._bank.texture(rng, 256, 256) * rng.uniform(0.5, 1.5) + rng.uniform(0, 10)
        shown = np.clip(texture, 0, 255).astype(np.uint8)
        large = cv2.resize(shown, (box.width, box.height), interpolation=cv2.INTER_CUBIC)
        pixels = np.asarray(large, np.uint8)
        self._put(box, Scan(pixels, np.ones(pixels.shape, bool), "filled"))
        draw_marks(rng, self.screen.pixels, box, self._theme, few=True)

    def _player(self, box: Crop) -> None:
        """A film of a scan: borders, perhaps a bar of controls over it."""
        rng, canvas = self._rng, self.screen.pixels
        self.screen.pixels[:] = self._theme.back if rng.random() < 0.3 else (0, 0, 0)
        inner = _inset(rng, box, 0.12)
        elements.rectangle(canvas, inner, (0, 0, 0))
        self._put(inner, self._scan(inner))
        bar = Crop(box.left, box.top + int(box.height * 0.93), box.width, int(box.height * 0.07))
        if rng.random() < 0.7:
            self._hide(bar)
            elements.rectangle(canvas, bar, self._theme.panel)
            cv2.line(
                canvas,
                (bar.left + 40, bar.top + bar.height // 2),
                (bar.width * 3 // 4, bar.top + bar.height // 2),
                self._theme.accent,
                3,
            )

    def _hide(self, box: Crop) -> None:
        for sector in self.screen.sectors:
            sector[box.top : box.top + box.height, box.left : box.left + box.width] = False

    def _scanner(self, box: Crop, theme: Theme, viewer: bool = False) -> None:
        """A scanner's screen, or a viewer's, in `box`: panels, then pictures, then what stands round them."""
        rng, canvas = self._rng, self.screen.pixels
        elements.rectangle(canvas, box, theme.back)
        inner = self._panels(box, theme)
        if viewer or theme.back[0] > 90 or rng.random() < 0.3:
            elements.rectangle(
                canvas, inner, (0, 0, 0) if rng.random() < 0.7 else (int(rng.integers(1, 40)),) * 3
            )
        if rng.random() < 0.12:
            inner = self._strip_below(inner)
        cells = self._cells(inner)
        for cell in cells:
            place = _inset(rng, cell, 0.16)
            if rng.random() < 0.15:
                elements.rectangle(canvas, place, (0, 0, 0))
            self._put(place, self._scan(place))
        for cell in cells:
            draw_marks(rng, canvas, cell, theme)
        if rng.random() < 0.15:
            low = int(inner.height * rng.uniform(0.06, 0.16))
            elements.trace(
                rng, canvas, Crop(inner.left, inner.top + inner.height - low, inner.width, low), theme.accent
            )

    def _cells(self, inner: Crop) -> list[Crop]:
        """One place for a picture; or two side by side or above each other, or four."""
        fate = self._rng.random()
        if fate < 0.74:
            return [inner]
        gap = max(6, int(0.02 * inner.width))
        half_w, half_h = (inner.width - gap) // 2, (inner.height - gap) // 2
        rows, columns = (1, 2) if fate < 0.93 else (2, 1) if fate < 0.97 else (2, 2)
        wide, tall = (half_w if columns == 2 else inner.width), (half_h if rows == 2 else inner.height)
        return [
            Crop(inner.left + column * (wide + gap), inner.top + row * (tall + gap), wide, tall)
            for row in range(rows)
            for column in range(columns)
        ]

    def _strip_below(self, inner: Crop) -> Crop:
        tall = int(inner.height * self._rng.uniform(0.25, 0.5))
        elements.strip(
            self._rng,
            self.screen.pixels,
            Crop(inner.left, inner.top + inner.height - tall, inner.width, tall),
        )
        self.screen.strip = True
        return Crop(inner.left, inner.top, inner.width, inner.height - tall - 6)

    def _panels(self, box: Crop, theme: Theme) -> Crop:
        """Bars and panels at the sides of `box`; what they leave."""
        rng, canvas = self._rng, self.screen.pixels
        left, top, right, bottom = box.left, box.top, box.left + box.width, box.top + box.height
        for side in rng.permutation(4).tolist():
            if rng.random() > (0.45, 0.4, 0.65, 0.4)[side]:
                continue
            share = float(rng.uniform(0.08, 0.3)) if side in (0, 1) else float(rng.uniform(0.04, 0.14))
            if side == 0:
                panel = Crop(left, top, int(share * box.width), bottom - top)
                left += panel.width
            elif side == 1:
                panel = Crop(right - int(share * box.width), top, int(share * box.width), bottom - top)
                right -= panel.width
            elif side == 2:
                panel = Crop(left, top, right - left, int(share * box.height))
                top += panel.height
            else:
                panel = Crop(left, bottom - int(share * box.height), right - left, int(share * box.height))
                bottom -= panel.height
            if rng.random() < 0.75:
                elements.rectangle(canvas, panel, theme.panel)
            self._fill_panel(panel, theme)
        return Crop(left, top, max(40, right - left), max(40, bottom - top))

    def _fill_panel(self, panel: Crop, theme: Theme) -> None:
        rng, canvas = self._rng, self.screen.pixels
        fate = rng.random()
        if fate < 0.4:
            elements.text_block(rng, canvas, panel, theme)
        elif fate < 0.65:
            elements.buttons(rng, canvas, panel, theme)
        elif fate < 0.8:
            half = Crop(panel.left, panel.top, panel.width, panel.height // 2)
            elements.text_block(rng, canvas, half, theme)
            elements.buttons(
                rng,
                canvas,
                Crop(panel.left, panel.top + panel.height // 2, panel.width, panel.height // 2),
                theme,
            )
        elif fate < 0.93:
            self._thumbnails(panel)

    def _thumbnails(self, panel: Crop) -> None:
        """Small pictures of what was saved: never the live one."""
        side = min(panel.width, panel.height)
        upright = panel.height > panel.width
        if side < 24:
            return
        side = min(side, int(0.17 * min(self.screen.pixels.shape[:2])))
        for place in range(0, (panel.height if upright else panel.width) - side, side + 4):
            if self._rng.random() < 0.75:
                x, y = (panel.left, panel.top + place) if upright else (panel.left + place, panel.top)
                box = Crop(x + 2, y + 2, side - 4, int((side - 4) * 0.8))
                elements.rectangle(self.screen.pixels, box, (0, 0, 0))
                self._put(box, self._scan(box), truth=False)

    def _nothing(self, box: Crop) -> None:
        """Screens without a picture that could be live."""
        rng, canvas = self._rng, self.screen.pixels
        canvas[:] = self._theme.back
        fate = rng.random()
        if fate < 0.35:
            self._desktop(box, with_scan=False)
        elif fate < 0.6:
            elements.text_block(rng, canvas, box, self._theme, dense=bool(rng.random() < 0.6))
        elif fate < 0.8:
            inner = self._panels(box, self._theme)
            draw_marks(rng, canvas, inner, self._theme)
        elif fate < 0.9:
            levels = np.repeat(rng.integers(0, 256, (1, int(rng.integers(4, 12)), 3)), 1, axis=0).astype(
                np.uint8
            )
            canvas[:] = cv2.resize(levels, (box.width, box.height), interpolation=cv2.INTER_NEAREST)

    def _desktop(self, box: Crop, with_scan: bool) -> None:
        """Wallpaper, windows, a task bar; with a scanner's window in front, or without."""
        rng, canvas = self._rng, self.screen.pixels
        fate = rng.random()
        if fate < 0.4:
            elements.photograph(rng, canvas, box, self._photos)
        elif fate < 0.7:
            ends = rng.uniform(0, 255, (2, 2, 3)).astype(np.float32)
            canvas[:] = cv2.resize(ends, (box.width, box.height), interpolation=cv2.INTER_LINEAR).astype(
                np.uint8
            )
        else:
            canvas[:] = elements.make_theme(rng, self._held_out).back
        for _ in range(int(rng.integers(0, 4))):
            self._window(_window_box(rng, box, 0.2, 0.7), scan=False)
        if with_scan:
            low = 0.5 if min(box.width, box.height) < 700 else 0.35
            self._window(_window_box(rng, box, low, 0.95), scan=True)
        if rng.random() < 0.7:
            tall = max(16, int(box.height * rng.uniform(0.03, 0.06)))
            bar = Crop(0, 0 if rng.random() < 0.2 else box.height - tall, box.width, tall)
            self._hide(bar)
            theme = elements.make_theme(rng, self._held_out)
            elements.rectangle(canvas, bar, theme.panel)
            elements.buttons(
                rng, canvas, Crop(bar.left, bar.top - 2, int(bar.width * 0.6), bar.height + 4), theme
            )
            elements.write(
                canvas,
                words_of_clock(rng),
                bar.width - 120,
                bar.top + tall // 4,
                tall // 2,
                theme.ink,
                theme.font,
            )

    def _window(self, box: Crop, scan: bool) -> None:
        rng, canvas = self._rng, self.screen.pixels
        theme = elements.make_theme(rng, self._held_out)
        title = max(14, int(canvas.shape[0] * rng.uniform(0.025, 0.05)))
        elements.rectangle(canvas, box, theme.panel)
        elements.write(
            canvas, elements.words(rng, 3), box.left + 8, box.top + 3, title // 2, theme.ink, theme.font
        )
        for place in range(3):
            cv2.circle(
                canvas,
                (box.left + box.width - 12 - 18 * place, box.top + title // 2),
                5,
                theme.ink,
                1,
                cv2.LINE_AA,
            )
        inner = Crop(box.left + 1, box.top + title, box.width - 2, box.height - title - 1)
        fate = rng.random()
        if scan:
            self._scanner(inner, theme if rng.random() < 0.5 else self._theme)
        elif fate < 0.45:
            elements.rectangle(canvas, inner, theme.back)
            elements.text_block(rng, canvas, inner, theme, dense=bool(rng.random() < 0.5))
        elif fate < 0.75:
            elements.photograph(rng, canvas, inner, self._photos)
        elif fate < 0.9:
            elements.chart(rng, canvas, inner, theme)
        else:
            elements.rectangle(canvas, inner, theme.back)
            elements.buttons(rng, canvas, inner, theme)
        if rng.random() < 0.5:
            elements.rectangle(canvas, box, theme.ink, filled=False)


def words_of_clock(rng: np.random.Generator) -> str:
    """What the corner of a task bar says."""
    return f"{rng.integers(0, 24):02d}:{rng.integers(0, 60):02d} {rng.integers(1, 29)}.{rng.integers(1, 13)}."


def _inset(rng: np.random.Generator, box: Crop, most: float) -> Crop:
    """A random part of a box, at each side up to the share `most` smaller."""
    left, top, right, bottom = (rng.random(4) * most * (rng.random(4) < 0.7)).tolist()
    x, y = int(left * box.width), int(top * box.height)
    return Crop(
        box.left + x,
        box.top + y,
        max(32, int(box.width * (1 - left - right))),
        max(32, int(box.height * (1 - top - bottom))),
    )


def _window_box(rng: np.random.Generator, box: Crop, least: float, most: float) -> Crop:
    width, height = int(box.width * rng.uniform(least, most)), int(box.height * rng.uniform(least, most))
    return Crop(
        int((box.width - width) * rng.random()), int((box.height - height) * rng.random()), width, height
    )

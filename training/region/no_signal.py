"""How often a card's picture without a signal is known, and how often a scan is taken for one.

`python -m training.region.no_signal`; docs/capture.md has what it said.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import cv2
import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from semc_core.errors import SourceError
from semc_core.imaging.no_signal import is_no_signal
from semc_core.phantom.scan import SimulatedScan
from semc_core.picture import Picture
from semc_core.sources.open import open_source
from training.region.capture import captured
from training.region.render import photographs
from training.region.screens import ScreenMaker
from training.region.textures import make_bank

Pixels = NDArray[np.uint8]

DATA: Final = Path("..") / "shared" / "data"
_SIZES: Final = ((640, 480), (720, 576), (1280, 720), (1920, 1080))
_BACKS: Final = (
    (0, 0, 200),
    (0, 0, 120),
    (10, 30, 180),
    (128, 128, 128),
    (60, 60, 60),
    (0, 120, 0),
    (0, 0, 0),
)
_TEXTS: Final = (
    "NO SIGNAL", "No Input", "Kein Signal", "Pas de signal", "Нет сигнала", "Χωρίς σήμα", "لا توجد إشارة",
    "NO SIGNAL\nHDMI 1", "No video input detected.\nPlease check your cable.", "1920x1080 60Hz\nOUT OF RANGE",
)  # fmt: skip
_BARS: Final = (
    (191, 191, 191),
    (191, 191, 0),
    (0, 191, 191),
    (0, 191, 0),
    (191, 0, 191),
    (191, 0, 0),
    (0, 0, 191),
)
_PER_FILE: Final = 12


def card(seed: int) -> Pixels:
    """uint8 (H, W, 3): a card with a text, a logo somewhere, or nothing; as a capture card hands it over."""
    rng = np.random.default_rng([seed, 71])
    width, height = _SIZES[int(rng.integers(len(_SIZES)))]
    back = _BACKS[int(rng.integers(len(_BACKS)))]
    image = Image.new("RGB", (width, height), back)
    kind = int(rng.integers(3))
    if kind == 0 or back == (0, 0, 0):
        _write(rng, image, _TEXTS[int(rng.integers(len(_TEXTS)))])
    elif kind == 1:
        _logo(rng, image)
    return _as_captured(rng, np.asarray(image, np.uint8).copy())


def bars(seed: int) -> Pixels:
    """uint8 (H, W, 3): colour bars, plain or with the lower third of the standard pattern, or with a text."""
    rng = np.random.default_rng([seed, 72])
    width, height = _SIZES[int(rng.integers(len(_SIZES)))]
    colours = [(235, 235, 235), *_BARS[1:], (0, 0, 0)] if rng.random() < 0.5 else list(_BARS)
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[:] = np.array(colours, np.uint8)[(np.arange(width) * len(colours)) // width]
    if rng.random() < 0.4:
        levels = rng.choice([0, 19, 191, 235], 6).astype(np.uint8)
        pixels[round(0.67 * height) :] = levels[(np.arange(width) * 6) // width][:, None]
    image = Image.fromarray(pixels)
    if rng.random() < 0.5:
        _write(rng, image, _TEXTS[int(rng.integers(len(_TEXTS)))])
    return _as_captured(rng, np.asarray(image, np.uint8).copy())


def _write(rng: np.random.Generator, image: Image.Image, text: str) -> None:
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    font = ImageFont.truetype(folder / "DejaVuSans-Bold.ttf", round(image.height * rng.uniform(0.04, 0.1)))
    draw = ImageDraw.Draw(image)
    left, top, right, bottom = draw.multiline_textbbox((0, 0), text, font)
    wide, tall = round(right - left), round(bottom - top)
    x = int(rng.integers(0, max(1, image.width - wide))) if rng.random() < 0.5 else (image.width - wide) // 2
    y = (
        int(rng.integers(0, max(1, image.height - tall)))
        if rng.random() < 0.5
        else (image.height - tall) // 2
    )
    if rng.random() < 0.3:
        draw.rectangle(
            (x - 20, y - 10, x + wide + 20, y + tall + 20), fill=(0, 0, 0), outline=(255, 255, 255)
        )
    draw.multiline_text((x, y), text, (255, 255, 255), font, align="center")


def _logo(rng: np.random.Generator, image: Image.Image) -> None:
    wide = round(image.width * rng.uniform(0.1, 0.25))
    tall = wide // 2
    x, y = int(rng.integers(0, image.width - wide)), int(rng.integers(0, image.height - tall))
    draw = ImageDraw.Draw(image)
    draw.ellipse((x, y, x + tall, y + tall), fill=tuple(rng.integers(100, 256, 3).tolist()))
    draw.rectangle((x + tall, y + tall // 4, x + wide, y + 3 * tall // 4), fill=(255, 255, 255))


def _as_captured(rng: np.random.Generator, pixels: Pixels) -> Pixels:
    pixels = captured(rng, pixels)
    if rng.random() < 0.5:
        quality = int(rng.integers(60, 95))
        coded = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        pixels = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)[..., ::-1].copy()
    return pixels


def screens(data: Path | None, count: int, *, probe_off: bool) -> Iterator[Pixels]:
    """Drawn screens with a picture in them; with `probe_off` that picture is black."""
    maker = ScreenMaker(make_bank(data, held_out=True), held_out=True, photos=photographs(held_out=True))
    for seed in range(count):
        screen = maker.screen(seed)
        if screen.layout in ("nothing", "filled", "bare") and (probe_off or screen.layout == "nothing"):
            continue  # no scanner's screen would be left
        if probe_off:
            screen.pixels[screen.mask()] = 0
        yield screen.pixels


def scans(count: int) -> Iterator[Pixels]:
    """Simulated scans, from bright to nearly black, with and without a scanner's screen around them."""
    for patient in range(count):
        furniture = patient % 2 == 0
        frame = SimulatedScan(patient, None, 960, 720, 30.0, furniture=furniture).frame(patient % 50)
        for gain in (1.0, 0.5, 0.25, 0.12):
            yield np.asarray(frame * gain, np.uint8)


def real(data: Path, every: int) -> Iterator[Pixels]:
    """Of every so many real pictures and loops the first frames, and the same darkened."""
    kinds = (".png", ".jpg", ".mpeg", ".mp4", ".mov", ".dcm")
    found = sorted(
        each for each in data.rglob("*") if each.suffix.lower() in kinds and "masks" not in each.parts
    )
    for path in found[::every]:
        try:
            source = open_source(str(path))
            packets = [packet for _ in range(_PER_FILE) if (packet := source.read()) is not None]
            source.close()
        except SourceError:
            continue
        for packet in packets:
            yield packet.picture.pixels
            yield np.asarray(packet.picture.pixels * 0.2, np.uint8)


def main() -> int:
    """`python -m training.region.no_signal`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="real pictures")
    parser.add_argument("--count", type=int, default=300, help="of each kind that is drawn")
    parser.add_argument("--every", type=int, default=4, help="of the real files only each so manyth")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    data = given.data if given.data.is_dir() else None
    kinds: dict[str, Callable[[], Iterator[Pixels]]] = {
        "cards": lambda: (card(seed) for seed in range(given.count)),
        "colour bars": lambda: (bars(seed) for seed in range(given.count)),
        "drawn screens": lambda: screens(data, given.count, probe_off=False),
        "drawn screens, picture black": lambda: screens(data, given.count, probe_off=True),
        "simulated scans, four gains": lambda: scans(given.count // 4),
    }
    if data is not None:
        kinds["real pictures and loops, also darkened"] = lambda: real(data, given.every)
    for name, pixels in kinds.items():
        answers, took_s = [], []
        for each in pixels():
            picture = Picture(each)
            _ = picture.gray
            begun_s = time.perf_counter()
            answers.append(is_no_signal(picture))
            took_s.append(time.perf_counter() - begun_s)
        took = 1000 * float(np.median(took_s))
        print(f"{name}: {sum(answers)} of {len(answers)} are no signal ({took:.2f} ms each)", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The clock of bars, read from what cards and cameras make of it: the right moment or none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from semc_core.imaging import bar_clock
from semc_core.imaging.bar_clock import WRAP_MS
from semc_core.imaging.no_signal import is_no_signal
from semc_core.picture import Picture

Gray = NDArray[np.uint8]
Change = Callable[[Gray], Gray]
MOMENTS_MS: Final = [0, WRAP_MS - 1, *map(int, np.random.default_rng(5).integers(0, WRAP_MS, 4))]


def shown(value_ms: int, width: int = 1280, height: int = 720) -> Gray:
    """The clock on a screen at that moment."""
    return bar_clock.draw((value_ms + 0.5) / 1000, width, height)


def scaled(width: int, height: int, how: int = cv2.INTER_LINEAR) -> Change:
    return lambda gray: np.asarray(cv2.resize(gray, (width, height), interpolation=how), np.uint8)


def blurred(sigma: float) -> Change:
    return lambda gray: np.asarray(cv2.GaussianBlur(gray, (0, 0), sigma), np.uint8)


def jpeg(quality: int) -> Change:
    def change(gray: Gray) -> Gray:
        data = cv2.imencode(".jpg", gray, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)

    return change


def levels(of: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Change:
    table = of(np.arange(256) / 255)
    return lambda gray: np.asarray(np.rint(255 * table).clip(0, 255).astype(np.uint8)[gray])


def noisy(sigma: float) -> Change:
    def change(gray: Gray) -> Gray:
        noise = np.random.default_rng(1).normal(0, sigma, gray.shape)
        return np.asarray((gray + noise).clip(0, 255), np.uint8)

    return change


def filmed(gray: Gray) -> Gray:
    """By a camera that stands askew, in a dim room with a lamp on the left."""
    height, width = gray.shape
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    seen = np.array([(0.22, 0.18), (0.85, 0.25), (0.8, 0.8), (0.25, 0.86)], np.float32) * np.array(
        [width, height], np.float32
    )
    there = cv2.warpPerspective(gray, cv2.getPerspectiveTransform(corners, seen), (width, height))
    lamp = np.linspace(60, 0, width)[None, :]
    return np.asarray((there * 0.6 + lamp).clip(0, 255), np.uint8)


def in_bars(gray: Gray) -> Gray:
    """A narrower screen in a wide picture."""
    return np.pad(gray, ((40, 40), (300, 300)), constant_values=16)


READABLE: Final[dict[str, Change]] = {
    "1080p to 640": lambda gray: scaled(640, 360)(scaled(1920, 1080)(gray)),
    "squeezed": scaled(640, 480, cv2.INTER_AREA),
    "small": scaled(320, 180, cv2.INTER_AREA),
    "blur": blurred(4),
    "jpeg": jpeg(10),
    "limited range": levels(lambda x: (16 + 219 * x) / 255),
    "darkened": levels(lambda x: x**2.2),
    "lightened": levels(lambda x: x**0.45),
    "little contrast": levels(lambda x: 0.35 + 0.25 * x),
    "noise": noisy(25),
    "in bars": in_bars,
    "filmed": filmed,
    "all": lambda gray: jpeg(30)(blurred(1.5)(scaled(640, 480)(levels(lambda x: x**1.8)(gray)))),
}


@pytest.mark.parametrize("how", READABLE)
def test_the_moment_is_read_from_what_became_of_its_picture(how: str) -> None:
    for value in MOMENTS_MS:
        assert bar_clock.read(READABLE[how](shown(value))) == value


@pytest.mark.parametrize("size", [(1920, 1080), (1280, 1024), (640, 480), (1000, 333)])
def test_the_moment_is_read_from_screens_of_every_shape(size: tuple[int, int]) -> None:
    assert [bar_clock.read(shown(value, *size)) for value in MOMENTS_MS] == MOMENTS_MS


def test_what_cannot_be_read_clearly_gives_no_moment_and_never_a_wrong_one() -> None:
    """Ever more of each change, far beyond what can be read."""
    found: list[bool] = []
    for sigma in (2, 4, 5, 6, 7, 9):
        for width in (640, 200, 120, 60):
            change = [
                blurred(sigma),
                scaled(width, width * 9 // 16, cv2.INTER_AREA),
                jpeg(8),
                noisy(3 * sigma),
            ]
            for value in MOMENTS_MS[:3]:
                picture = shown(value, 640, 360)
                for each in change:
                    picture = each(picture)
                read = bar_clock.read(picture)
                assert read in (None, value)
                found.append(read is not None)
    assert not all(found), "some were beyond reading"
    assert any(found), "some were not"


@pytest.mark.parametrize(
    "turn", [np.fliplr, np.flipud, lambda gray: np.rot90(gray, 2), lambda gray: 255 - gray]
)
def test_a_clock_that_is_mirrored_turned_or_negative_gives_no_moment(turn: Change) -> None:
    for value in range(0, WRAP_MS, 1501):
        assert bar_clock.read(np.ascontiguousarray(turn(shown(value, 320, 240)))) is None


def test_two_moments_in_one_picture_give_one_of_them_or_none() -> None:
    """A picture that is torn, and one that was exposed while the screen changed."""
    read = set()
    for value in MOMENTS_MS[2:]:
        first, second = shown(value, 640, 360), shown(value + 17, 640, 360)
        for row in range(100, 260, 8):
            torn = np.concatenate([second[:row], first[row:]])
            read.add(value if (got := bar_clock.read(torn)) is None else got)
            assert got in (None, value, (value + 17) % WRAP_MS)
        for share in (0.1, 0.3, 0.5, 0.7, 0.9):
            mixed = np.asarray(share * first + (1 - share) * second, np.uint8)
            assert bar_clock.read(mixed) in (None, value, (value + 17) % WRAP_MS)
    assert read & {value + 17 for value in MOMENTS_MS[2:]}, "some pictures hold the whole clock of one moment"


def test_other_pictures_give_no_moment() -> None:
    noise = np.random.default_rng(9).integers(0, 256, (5, 240, 320), np.uint8)
    assert {bar_clock.read(picture) for picture in noise} == {None}
    assert bar_clock.read(np.zeros((480, 640), np.uint8)) is None
    assert bar_clock.read(np.full((1, 1), 200, np.uint8)) is None


def test_the_clock_is_no_card_without_a_signal_so_that_the_model_sees_it() -> None:
    assert not any(is_no_signal(Picture(shown(value))) for value in MOMENTS_MS)


def test_how_long_ago_a_moment_was_is_known_across_the_clocks_end() -> None:
    assert bar_clock.age_ms(100, 0.1505) == pytest.approx(50.5)
    assert bar_clock.age_ms(WRAP_MS - 20, (2 * WRAP_MS + 30) / 1000) == pytest.approx(50)
    assert bar_clock.age_ms(200, 0.1) is None, "it lies in the future"

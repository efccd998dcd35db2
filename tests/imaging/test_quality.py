"""Which pictures are live ones."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from semc_core.imaging.quality import QualityGate
from semc_core.phantom.scan import SimulatedScan
from semc_core.picture import Picture
from semc_core.sources.video import VideoSource
from semc_core.types import Crop, FramePacket
from tests.skips import REAL_DATA

HEIGHT, WIDTH = 240, 320


def packet(pixels: NDArray[np.uint8], time_s: float) -> FramePacket:
    return FramePacket("test", 0, time_s, 0.0, Picture(pixels))


def judge(frames: list[NDArray[np.uint8]], rate: float = 30.0, crop: Crop | None = None) -> list[str]:
    guard = QualityGate()
    region = crop or Crop(0, 0, frames[0].shape[1], frames[0].shape[0])
    return [guard.update(packet(frame, i / rate), region).picture for i, frame in enumerate(frames)]


@pytest.fixture(scope="module")
def scan() -> list[NDArray[np.uint8]]:
    simulated = SimulatedScan(seed=3, seconds=2, width=WIDTH, height=HEIGHT)
    return [simulated.frame(index) for index in range(45)]


def test_a_scan_is_live(scan: list[NDArray[np.uint8]]) -> None:
    assert set(judge(scan)) == {"live"}


def test_a_held_picture_is_frozen_after_0_6_s_and_live_again_at_once(scan: list[NDArray[np.uint8]]) -> None:
    states = judge([*scan[:5], *[scan[4]] * 30, *scan[5:10]])
    # Frame 4 is the last that moved; 18 frames later are 0.6 s.
    assert states[: 4 + 19] == ["live"] * 23
    assert states[4 + 19 : 35] == ["frozen"] * 12
    assert states[35:] == ["live"] * 5


def test_noise_of_a_capture_card_and_a_clock_do_not_make_a_frozen_picture_live(
    scan: list[NDArray[np.uint8]],
) -> None:
    noise = np.random.default_rng(0)
    still = np.repeat(np.repeat(scan[0], 2, 0), 2, 1)
    frames = []
    for index in range(40):
        frame = still.astype(np.int16) + noise.integers(-2, 3, still.shape)
        frame[10:34, 200:320] = 255 * noise.integers(0, 2, (24, 120))
        frame[200:220, 6 * index : 6 * index + 16] = 250
        frames.append(np.clip(frame, 0, 255).astype(np.uint8))
    assert judge(frames)[-1] == "frozen"


def test_slow_frames_in_a_fast_container_are_live(scan: list[NDArray[np.uint8]]) -> None:
    repeated = [frame for frame in scan[::4] for _ in range(4)]
    assert set(judge(repeated)) == {"live"}


def test_a_scanner_of_two_frames_a_second_is_never_frozen(scan: list[NDArray[np.uint8]]) -> None:
    # Each is shown for half a second, and now and then the card gives one more frame of it.
    repeated = [frame for number, frame in enumerate(scan[::4]) for _ in range(15 + number % 2)]
    assert set(judge(repeated)) == {"live"}


def test_a_black_picture_is_black_even_when_the_screen_around_it_is_not() -> None:
    screen = np.zeros((HEIGHT, WIDTH), np.uint8)
    screen[:20] = 200
    assert judge([np.full((HEIGHT, WIDTH), 12, np.uint8)]) == ["black"]
    assert judge([screen], crop=Crop(0, 30, WIDTH, 200)) == ["black"]


def test_a_cards_own_picture_is_no_signal_and_a_ramp_is_flat() -> None:
    colours = np.array(
        [(191, 191, 191), (191, 191, 0), (0, 191, 191), (0, 191, 0), (191, 0, 191), (191, 0, 0), (0, 0, 191)],
        np.uint8,
    )
    bars = np.repeat(np.repeat(colours[None], HEIGHT, 0), WIDTH // 7 + 1, axis=1)[:, :WIDTH]
    ramp = np.repeat(np.linspace(0, 255, WIDTH).astype(np.uint8)[None], HEIGHT, 0)
    blue = np.full((HEIGHT, WIDTH, 3), (0, 0, 255), np.uint8)
    assert judge([ramp]) == ["flat"]
    for pattern in (bars, blue):
        assert judge([pattern] * 20) == ["no signal"] * 20, "and never frozen"


def test_a_lost_signal_says_nothing_of_the_pictures_around_it(scan: list[NDArray[np.uint8]]) -> None:
    blue = np.full((HEIGHT, WIDTH, 3), (0, 0, 255), np.uint8)
    states = judge([*scan[:3], *[blue] * 30, scan[3], *[scan[3]] * 20])
    assert states[2:34] == ["live"] + ["no signal"] * 30 + ["live"]
    assert states[-1] == "frozen"


def test_moving_patterns_stay_flat() -> None:
    ramp = np.repeat(np.linspace(0, 255, WIDTH).astype(np.uint8)[None], HEIGHT, 0)
    assert set(judge([np.roll(ramp, 9 * index, 1) for index in range(5)])) == {"flat"}


@pytest.mark.real_data("cine/lung")
def test_real_scans_are_live_nearly_always() -> None:
    folder = REAL_DATA / "cine" / "lung"
    for name in ("Reg_pat1Image_133043.mpeg", "Reg_Image_181432_crop.mp4"):
        source = VideoSource(folder / name)
        guard = QualityGate()
        states: list[str] = []
        while (read := source.read()) is not None and len(states) < 120:
            states.append(guard.update(read, Crop(0, 0, read.pixels.shape[1], read.pixels.shape[0])).picture)
        source.close()
        assert states.count("live") / len(states) > 0.98, name

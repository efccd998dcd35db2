"""A card's own picture is known in one frame, by how it is built; no scanner's screen is taken for one."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from semc_core.imaging import no_signal
from semc_core.imaging.no_signal import is_no_signal
from semc_core.phantom.scan import SimulatedScan
from semc_core.picture import Picture
from tests.skips import REAL_DATA
from training.region.no_signal import bars, card, real, scans, screens

Pixels = NDArray[np.uint8]


def share(pixels: list[Pixels]) -> float:
    """Of the pictures that are taken for a card's own."""
    assert pixels
    return sum(is_no_signal(Picture(each)) for each in pixels) / len(pixels)


def test_cards_with_any_text_a_logo_or_nothing_are_known() -> None:
    assert share([card(seed) for seed in range(40)]) >= 0.95


def test_colour_bars_with_or_without_a_text_are_known() -> None:
    assert share([bars(seed) for seed in range(30)]) >= 0.95


@pytest.mark.long
@pytest.mark.parametrize("probe_off", [False, True])
def test_drawn_screens_with_a_picture_or_a_black_one_are_not(probe_off: bool) -> None:
    assert share(list(screens(None, 12, probe_off=probe_off))) == 0


def test_dark_scans_are_not() -> None:
    assert share(list(scans(6))) == 0


def test_a_black_screen_and_noise_are_not() -> None:
    noise = np.random.default_rng(5).integers(0, 256, (480, 640), np.uint8)
    assert share([np.zeros((480, 640), np.uint8), np.full((480, 640, 3), 12, np.uint8), noise]) == 0


def test_a_scan_that_fades_in_on_a_black_screen_is_not() -> None:
    frame = SimulatedScan(11, None, 640, 480, 30.0).frame(20)
    assert (
        share(
            [np.clip(frame.astype(np.int16) - level, 0, 255).astype(np.uint8) for level in range(0, 240, 12)]
        )
        == 0
    )


def test_a_sample_of_rows_spares_most_scans_the_whole_rule_and_never_changes_its_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cards = [Picture(make(seed)) for seed in range(8) for make in (card, bars)]
    living = [Picture(each) for each in scans(3)]
    asked: list[Picture] = []
    rule = no_signal._is_plain_or_bars

    def counted(picture: Picture, gray: Pixels, step: int) -> bool:
        asked.append(picture)
        return rule(picture, gray, step)

    monkeypatch.setattr(no_signal, "_is_plain_or_bars", counted)
    sampled = [is_no_signal(picture) for picture in cards + living]
    assert len(asked) <= len(cards) + len(living) // 3
    monkeypatch.setattr(no_signal, "_may_be", lambda sample: True)
    assert sampled == [is_no_signal(picture) for picture in cards + living]


@pytest.mark.real_data("organs")
def test_real_pictures_even_darkened_are_not() -> None:
    assert share(list(real(REAL_DATA, 120))) == 0

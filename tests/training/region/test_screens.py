"""Drawn screens: the same seed gives the same screen, and what is said of it is true."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from semc_core.picture import gray_of
from training.region.evaluate import box_of, iou, score
from training.region.pictures import KINDS, make_scan
from training.region.render import TRUTH, looks, render
from training.region.screens import LAYOUTS, Screen, ScreenMaker
from training.region.textures import Bank, easy_outline, make_bank, simulated_pictures


@pytest.fixture(scope="module")
def bank() -> Bank:
    return make_bank(None, held_out=False, simulated=1)


@pytest.fixture(scope="module")
def screens(bank: Bank) -> list[Screen]:
    maker = ScreenMaker(bank)
    return [maker.screen(seed) for seed in range(40)]


def test_the_same_seed_gives_the_same_screen(bank: Bank, screens: list[Screen]) -> None:
    again = ScreenMaker(bank).screen(3)
    np.testing.assert_array_equal(again.pixels, screens[3].pixels)
    np.testing.assert_array_equal(again.mask(), screens[3].mask())
    held_out = ScreenMaker(bank, held_out=True).screen(3)
    assert held_out.pixels.shape != screens[3].pixels.shape or (held_out.pixels != screens[3].pixels).any()


def test_screens_are_of_all_layouts_and_those_with_nothing_say_so(screens: list[Screen]) -> None:
    assert {screen.layout for screen in screens} >= set(LAYOUTS) - {"player"}
    for screen in screens:
        assert bool(screen.sectors) == (screen.layout != "nothing")
        assert len(screen.kinds) == len(screen.sectors)


def test_sectors_of_one_screen_do_not_overlap(screens: list[Screen]) -> None:
    several = [screen for screen in screens if len(screen.sectors) > 1]
    assert several
    for screen in several:
        assert np.sum(screen.sectors, axis=0).max() == 1


def test_a_sector_is_lit_and_outside_of_it_a_scan_is_black(bank: Bank) -> None:
    seen = set()
    for seed in range(60):
        scan = make_scan(np.random.default_rng(seed), bank, 240, 320)
        seen.add(scan.kind)
        gray = gray_of(scan.pixels)
        assert scan.mask.shape == (240, 320)
        assert scan.mask.mean() > 0.05, seed
        assert (gray[scan.mask] > 0).mean() > 0.2, seed
    assert seen >= set(KINDS) - {"real"}


def test_looks_show_the_screen_and_the_share_of_its_sectors(screens: list[Screen]) -> None:
    for screen in screens[:10]:
        (whole, truth), (near, near_truth) = looks(screen, np.random.default_rng(0))
        assert whole.shape == near.shape == (240, 320)
        assert truth.shape == near_truth.shape == TRUTH
        assert truth.mean() / 255 == pytest.approx(screen.mask().mean(), abs=0.01)
        if screen.sectors:
            assert near_truth.mean() > truth.mean() - 1


def test_shards_are_written_once(bank: Bank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.region.render.SHARD", 2)
    render(tmp_path, ScreenMaker(bank), 0, 4)
    shards = sorted(tmp_path.glob("*.npz"))
    assert [path.name for path in shards] == ["0000000.npz", "0000002.npz"]
    assert np.load(shards[0])["seen"].shape == (4, 240, 320)
    times = [path.stat().st_mtime_ns for path in shards]
    render(tmp_path, ScreenMaker(bank), 0, 4)
    assert [path.stat().st_mtime_ns for path in shards] == times
    assert len(list(tmp_path.iterdir())) == 2


def test_the_outline_of_a_clean_picture_is_its_sector_and_of_a_dark_one_there_is_none() -> None:
    picture, sector = next(iter(simulated_pictures(5, 1)))
    bright = np.where(sector, np.maximum(picture, 30), 0).astype(np.uint8)
    outline = easy_outline(bright)
    assert outline is not None
    assert iou(outline, sector) > 0.97
    half = bright.copy()
    half[::2, 100:540] = 0
    half[240:, :320] = 0
    assert easy_outline(half) is None


def test_a_score_compares_the_chosen_picture_with_the_one_that_it_is() -> None:
    left, right = np.zeros((60, 100), bool), np.zeros((60, 100), bool)
    left[10:50, 5:45], right[10:50, 55:95] = True, True
    assert score("none", "", [], []).mask == 1
    assert score("missed", "", [], [left]).mask == 0
    assert box_of(right).left == 55
    from semc_core.imaging.region.find import Region

    region = Region(box_of(right), ((55, 10), (94, 10), (94, 49), (55, 49)))
    one = score("right", "", [region], [left, right])
    assert (one.mask, one.box, one.all_found) == (1.0, 1.0, False)

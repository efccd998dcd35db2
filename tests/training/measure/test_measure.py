"""Learning outlines: what is learned from, how pictures are changed, how it is judged."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from semc_core.errors import UsageError
from semc_core.measure.ellipse import Ellipse
from semc_core.model.outline import OutlineSpec
from tests.skips import REAL_DATA
from training.measure import augment
from training.measure.augment import augmented
from training.measure.data import BRAIN, HEAD, NONE, Case, folds, outline_of, read_cases, read_gray
from training.measure.fit import FitOptions, arrays_of, cell_mask, fit_network
from training.measure.judge import Judged, conformal_error, figures, overlap
from training.measure.landmarks import landmark_figures

_OUTLINE = Ellipse(170.0, 130.0, 90.0, 66.0, 0.5)


def _filled(outline: Ellipse, shape: tuple[int, int]) -> NDArray[np.bool_]:
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]] + 0.5
    return np.asarray(outline.level(columns, rows) <= 1)


def test_the_outline_moves_exactly_with_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(augment, "_toned", lambda rng, levels: levels)
    monkeypatch.setattr(augment, "_drawn_on", lambda rng, picture, outline: picture)
    picture = (_filled(_OUTLINE, (260, 340)) * 255).astype(np.uint8)
    rng = np.random.default_rng(1)
    dice = []
    for _ in range(60):
        levels, moved = augmented(rng, picture, _OUTLINE, (192, 256))
        assert moved is not None
        dice.append(overlap(levels > 0.5, _filled(moved, (192, 256))))
    assert min(dice) > 0.985
    assert np.mean(dice) > 0.993


def test_a_picture_without_a_head_stays_without_and_all_levels_stay_between_0_and_1() -> None:
    rng = np.random.default_rng(2)
    picture = rng.integers(0, 256, (200, 300), dtype=np.uint8)
    for _ in range(40):
        levels, moved = augmented(rng, picture, None, (192, 256))
        assert moved is None
        assert levels.shape == (192, 256)
        assert levels.dtype == np.float32
        assert 0 <= levels.min() <= levels.max() <= 1


def test_a_cell_holds_the_share_of_itself_that_lies_inside() -> None:
    mask = cell_mask(_OUTLINE.moved(np.diag([0.7, 0.7, 1.0])[:2]), (96, 128))
    fine = _filled(_OUTLINE.moved(np.diag([2.8, 2.8, 1.0])[:2]), (768, 1024))
    shares = fine.reshape(96, 8, 128, 8).mean(axis=(1, 3))
    assert np.abs(mask - shares).max() < 0.2
    assert mask.sum() == pytest.approx(shares.sum(), rel=0.005)
    assert cell_mask(None, (96, 128)).max() == 0


def test_the_width_of_a_drawn_line_is_taken_out_of_a_mask(tmp_path: Path) -> None:
    drawn = Ellipse(400.0, 270.0, 180.0, 140.0, 1.1)
    path = tmp_path / "mask.png"
    assert cv2.imwrite(str(path), (_filled(drawn, (540, 800)) * 255).astype(np.uint8))
    stated = drawn.grown(-1.5).moved(np.diag([0.6, 0.6, 1.0])[:2])
    found = outline_of(path, 0.6, stated.circumference)
    assert found.circumference == pytest.approx(stated.circumference, rel=1e-6)
    assert [found.x, found.y, found.major, found.minor] == pytest.approx(
        [stated.x, stated.y, stated.major, stated.minor], abs=0.4
    )


def _case(group: str, kind: str = HEAD, **more: object) -> Case:
    return Case(Path(f"{group}.png"), kind, group, "hc18" if kind == HEAD else "lung", **more)  # type: ignore[arg-type]


def test_no_group_is_dealt_to_two_folds() -> None:
    cases = [_case(f"{number % 30}") for number in range(100)]
    dealt = folds(cases, 5)
    groups: dict[str, set[int]] = {}
    for case, fold in zip(cases, dealt, strict=True):
        groups.setdefault(case.group, set()).add(fold)
    assert all(len(each) == 1 for each in groups.values())
    assert set(dealt) == set(range(5))
    assert dealt == folds(cases, 5)


def _judged(rng: np.random.Generator, count: int) -> list[Judged]:
    found = []
    for number in range(count):
        stated = float(rng.uniform(100, 300))
        case = _case(f"{number}", circumference_mm=stated, mm_per_pixel=0.1)
        found.append(Judged(case, 0.9, _OUTLINE, stated * (1 + rng.normal(0, 0.01)), 0.97, 0.97))
    return found


def test_the_interval_holds_nine_of_ten_heads_that_it_was_not_made_from() -> None:
    rng = np.random.default_rng(3)
    error = conformal_error(_judged(rng, 400))
    assert error == pytest.approx(1.645 * 0.01, rel=0.15)
    fresh = _judged(rng, 2000)
    held = [abs(each.error) <= error * each.hc_mm for each in fresh]
    assert 0.87 < np.mean(held) < 0.93


def test_figures_count_what_was_measured_where_there_is_no_head() -> None:
    rng = np.random.default_rng(4)
    heads = _judged(rng, 60)
    nothing = [Judged(_case(f"n{number}", NONE, unseen=True), 0.1, None) for number in range(9)]
    wrong = [Judged(_case("n9", NONE, unseen=True), 0.9, _OUTLINE)]
    missed = [Judged(_case("m", circumference_mm=100.0, mm_per_pixel=0.1), 0.2, None)]
    all_of_it = [*heads, *missed, *nothing, *wrong]
    told = figures(all_of_it, [number % 2 for number in range(len(all_of_it))])
    assert told["heads"] == 61
    assert told["measured"]["mean"] == pytest.approx(60 / 61, abs=1e-3)
    assert told["no head"] == {"lung": {"pictures": 10, "measured": 1, "source in training": False}}
    assert told["hc error mm"]["mean"] == pytest.approx(
        np.mean([abs(each.error) for each in heads]), abs=1e-3
    )
    assert 0.7 < told["covered by the interval"]["mean"] <= 1


def test_landmarks_are_compared_in_millimetres(tmp_path: Path) -> None:
    folder = tmp_path / "biometry_landmarks"
    folder.mkdir()
    names = [f"{mark}_{end}_{axis}" for mark in ("ofd", "bpd") for end in (1, 2) for axis in "xy"]
    with (folder / "HC18_Head.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["image_name", *names, "px_to_mm_rate"])
        rows.writerow(["7.png", 0, 0, 300, 0, 0, 0, 0, 200, 0.06])
        rows.writerow(["8.png", 0, 0, "", 0, 0, 0, 0, 200, 0.06])
    judged = [
        Judged(_case(name, mm_per_pixel=0.1), 0.9, Ellipse(1, 1, 95, 65, 0)) for name in ("7", "8", "9")
    ]
    told = landmark_figures(judged, tmp_path)["HC18_Head.csv"]
    assert (told["pictures"], told["measured"]) == (1, 1)
    assert told["ofd bias mm"]["mean"] == pytest.approx(19 - 18)
    assert told["bpd error mm"]["mean"] == pytest.approx(13 - 12)
    assert landmark_figures(judged, tmp_path / "elsewhere") == {}


@pytest.mark.usefixtures("one_thread")
def test_a_tiny_network_learns_to_outline_drawn_heads(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    cases = []
    for number in range(12):
        outline = Ellipse(
            float(rng.uniform(60, 100)), float(rng.uniform(50, 70)), float(rng.uniform(30, 40)), 26.0, 0.3
        )
        dark = rng.integers(0, 60, (120, 160)).astype(np.uint8)
        head = number < 8
        picture = np.where(_filled(outline, (120, 160)), 180, dark).astype(np.uint8) if head else dark
        path = tmp_path / f"{number}.png"
        assert cv2.imwrite(str(path), picture)
        kind = HEAD if number < 6 else BRAIN if head else NONE
        cases.append(Case(path, kind, path.stem, kind, outline=outline if kind == HEAD else None))
    spec = OutlineSpec(height=64, width=64, channels=(6, 8, 12))
    losses: list[float] = []
    options = FitOptions(steps=60, heads=6, brains=1, others=3, average=0.8)
    network = fit_network(cases, spec, options, lambda step, loss: losses.append(loss))
    assert len(losses) == 60
    assert np.mean(losses[-10:]) < 0.8 * np.mean(losses[:10])
    again = fit_network(
        cases,
        spec,
        FitOptions(steps=1, heads=2, brains=1, others=1),
        lambda *_: None,
        arrays_of(network, spec),
    )
    begun, gone_on = arrays_of(network, spec), arrays_of(again, spec)
    assert (
        max(np.abs(begun[name] - gone_on[name]).max() for name in begun if name.endswith("0.weight")) < 0.02
    )


def test_a_folder_without_the_data_sets_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not hold"):
        read_cases(tmp_path)


@pytest.mark.real_data("hc18")
def test_the_real_data_are_read_with_their_groups_sizes_and_outlines() -> None:
    cases = read_cases(REAL_DATA)
    heads = [case for case in cases if case.kind == HEAD]
    assert len(heads) == 861
    assert len({case.group for case in heads}) < 861
    for case in heads[::100]:
        assert case.outline is not None
        assert case.outline.circumference * case.mm_per_pixel == pytest.approx(
            case.circumference_mm, rel=1e-4
        )
    assert {case.source for case in cases if case.unseen} >= {"lung", "timtrack-dataset3", "Ghana-abdomen"}
    stretched = next(case for case in cases if case.size is not None)
    assert stretched.size is not None
    height, width = read_gray(stretched, 10_000).shape
    assert (width, height) == stretched.size

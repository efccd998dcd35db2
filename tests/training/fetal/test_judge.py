"""What is counted right."""

from __future__ import annotations

import numpy as np
import pytest

from training.fetal.judge import (
    Judged,
    calibration_error,
    called_a_plane,
    four_planes,
    level_that_keeps,
    named_right,
    three_brain_planes,
)
from training.fetal.labels import CLASSES


def _judged(*given: tuple[str, dict[str, float]]) -> Judged:
    rows = [[named.get(name, 0.0) for name in CLASSES] for _, named in given]
    labels = np.array([label for label, _ in given])
    groups = np.array([f"patient {place}" for place in range(len(given))])
    return Judged(labels, groups, np.full(len(given), "Ghana"), np.array(rows))


def test_a_brain_is_named_right_by_any_of_its_planes() -> None:
    judged = _judged(
        ("brain", {"Trans-cerebellum": 0.6}), ("brain", {"4CH": 0.6}), ("thorax", {"4CH": 0.3, "NSP": 0.7})
    )
    assert named_right(judged).tolist() == [True, False, True]
    assert four_planes(judged).value == pytest.approx(2 / 3)


def test_the_planes_of_the_brain_count_as_one_for_whether_there_is_a_plane() -> None:
    judged = _judged(("brain", {"Trans-thalamic": 0.4, "Trans-ventricular": 0.35, "Femur": 0.1}))
    assert judged.score.tolist() == pytest.approx([0.75])


def test_brain_planes_count_alike_however_many_there_are() -> None:
    right = ("Trans-thalamic", {"Trans-thalamic": 0.9})
    judged = _judged(
        *[right] * 8,
        ("Trans-ventricular", {"Trans-thalamic": 0.9}),
        ("Trans-cerebellum", {"Trans-cerebellum": 0.9}),
    )
    assert three_brain_planes(judged).value == pytest.approx(2 / 3)


def test_a_level_keeps_the_share_and_counts_what_shows_no_fetus() -> None:
    planes = [("femur", {"Femur": place / 100}) for place in range(1, 101)]
    none = [("NSP", {"Femur": 0.5}), ("NSP", {"NSP": 1.0}), ("NSP", {"Lips": 0.05}), ("NSP", {"Lips": 0.04})]
    judged = _judged(*planes, *none)
    level = level_that_keeps(judged, 0.92)
    assert np.mean([place / 100 >= level for place in range(1, 101)]) == pytest.approx(0.92, abs=0.01)
    assert called_a_plane(judged, level).value == pytest.approx(0.25)


def test_overconfidence_is_a_calibration_error() -> None:
    sure = [("femur", {"Femur": 0.95})] * 6 + [("abdomen", {"Femur": 0.95})] * 4
    assert calibration_error(_judged(*sure)).value == pytest.approx(0.35)

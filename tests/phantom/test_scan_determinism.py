"""One seed is one scan: the same frames whatever was asked before, in this process and in another."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from semc_core.phantom.scan import SimulatedScan

_ROOT = Path(__file__).resolve().parents[2]
_FRAMES = (0, 40, 333)
_HASHES = """
import hashlib, sys
from semc_core.phantom.scan import SimulatedScan
scan = SimulatedScan(5, width=320, height=240)
for index in map(int, sys.argv[1:]):
    print(hashlib.sha256(scan.frame(index).tobytes()).hexdigest(), scan.truth(index))
"""


def test_frames_do_not_depend_on_the_order_of_calls() -> None:
    forwards = SimulatedScan(5, width=320, height=240)
    backwards = SimulatedScan(5, width=320, height=240)
    expected = {index: forwards.frame(index) for index in _FRAMES}
    for index in reversed(_FRAMES):
        assert backwards.truth(index) == forwards.truth(index)
        np.testing.assert_array_equal(backwards.frame(index), expected[index])


def test_another_process_draws_the_same_bytes() -> None:
    scan = SimulatedScan(5, width=320, height=240)
    here = [f"{hashlib.sha256(scan.frame(i).tobytes()).hexdigest()} {scan.truth(i)}" for i in _FRAMES]
    done = subprocess.run(
        [sys.executable, "-c", _HASHES, *map(str, _FRAMES)],
        cwd=_ROOT,
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=120,
    )
    assert done.stdout.splitlines() == here


def test_seeds_differ_in_patient_machine_and_picture() -> None:
    one, other = SimulatedScan(1, width=320, height=240), SimulatedScan(2, width=320, height=240)
    assert one.machine != other.machine
    assert not np.allclose(one.anatomy.bifurcation, other.anatomy.bifurcation)
    assert np.abs(one.frame(30).astype(int) - other.frame(30)).mean() > 5


def test_the_same_moment_shows_at_any_frame_rate_and_size() -> None:
    slow, fast = SimulatedScan(3, frame_rate=10), SimulatedScan(3, width=1280, height=720, frame_rate=30)
    assert slow.truth(20).distance == pytest.approx(fast.truth(60).distance)
    assert fast.frame(60).shape == (720, 1280)


def test_frames_are_gray_bytes_and_the_length_is_counted() -> None:
    scan = SimulatedScan(4, seconds=1.5, width=200, height=160, frame_rate=20)
    assert scan.frame_count == 30
    picture = scan.frame(29)
    assert picture.shape == (160, 200)
    assert picture.dtype == np.uint8
    assert SimulatedScan(4).frame_count is None


# Median gray and 90th percentile of the six planes of patient 7. The shipped model was trained on these
# pictures: whoever changes how they look has to train it again.
_LOOK = {
    "FHP1": (112, 136),
    "FHP2": (110, 135),
    "LLP": (111, 143),
    "RLP": (98, 132),
    "LPV-S": (112, 142),
    "HRP": (96, 137),
}


@pytest.mark.parametrize("plane", sorted(_LOOK))
def test_pictures_look_as_the_shipped_model_knows_them(plane: str) -> None:
    scan = SimulatedScan(7, furniture=False)
    picture = scan.at_pose(scan.path.planes[plane])
    inside = picture[picture > 0]
    assert (np.median(inside), np.quantile(inside, 0.9)) == pytest.approx(_LOOK[plane], abs=2)

"""The sentry of the fetal model that ships: it speaks of an adult heart, and not of fetal planes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import av
import numpy as np
import pydicom.examples
import pytest
from numpy.typing import NDArray

from semc_core.model.file import read_model
from semc_core.paths import DEMONSTRATION, FETAL_MODEL
from semc_core.picture import Picture
from semc_core.pipeline.stages import DecisionStage, PreparationStage
from semc_core.pipeline.stills import UNLIKE, Answer, Still, answers
from semc_core.runtime.base import Runtime
from semc_core.runtime.calibration import Calibrator, RawOutput
from semc_core.runtime.load import load_runtime
from semc_core.types import FramePacket


@pytest.fixture(scope="module")
def fetal() -> Iterator[Runtime]:
    with closing(load_runtime(FETAL_MODEL, "cpu")) as runtime:
        yield runtime


def said(frames: list[NDArray[np.uint8]], runtime: Runtime) -> list[Answer]:
    packets = (FramePacket("frames", place, 0.0, 0.0, Picture(each)) for place, each in enumerate(frames))
    return list(answers((Still(packet) for packet in packets), runtime))


def test_it_speaks_of_most_of_an_adult_heart_of_which_nothing_was_learned(fetal: Runtime) -> None:
    heart = [np.ascontiguousarray(frame) for frame in pydicom.examples.ybr_color.pixel_array[::3]]
    found = said(heart, fetal)
    assert sum(answer.why == UNLIKE for answer in found) > len(found) / 2
    assert said(heart, fetal) == found


def test_it_is_silent_on_the_planes_of_the_demonstration(fetal: Runtime) -> None:
    with av.open(str(DEMONSTRATION)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    found = said([np.ascontiguousarray(frame) for frame in frames[5::30]], fetal)
    assert len(found) > 8
    assert all(answer.named for answer in found), [answer.why for answer in found]


def test_of_planes_without_pictures_it_says_nothing(fetal: Runtime) -> None:
    calibration = fetal.spec.calibration
    assert calibration.novelty_direction
    assert calibration.novelty_slope > 100
    assert set(fetal.spec.planes) - set(calibration.novelty_planes) == {
        "3VV", "LVOT", "RVOT", "Kidneys", "Lips", "Profile", "Spine(cor)", "Spine(sag)",
    }  # fmt: skip


def held(pooled: NDArray[np.float32]) -> int:
    """Events of three seconds of a femur that the network is sure of, with these features."""
    spec, arrays = read_model(FETAL_MODEL)
    logits = np.zeros((1, len(spec.classes)), np.float32)
    logits[0, spec.classes.index("Femur")] = 12
    maps = np.zeros((1, len(spec.classes), 1, 1), np.float32)
    raw = RawOutput(logits, np.ones((1, 1), np.float32), maps, pooled[None])
    (prediction,) = Calibrator(spec, arrays).predictions(raw)
    look, conclusions = PreparationStage(spec.preprocessing), DecisionStage(spec.classes, spec.thresholds)
    events = 0
    for index in range(30):
        frame = np.random.default_rng(index).integers(0, 256, (64, 64), dtype=np.uint8)
        packet = FramePacket("noise", index, index / 10, 0.0, Picture(frame))
        events += len(conclusions.conclude(look.look(packet), prediction).events)
    return events + len(conclusions.finish())


def test_of_what_it_speaks_no_plane_is_held_however_sure_the_network_is() -> None:
    centre = read_model(FETAL_MODEL)[1]["novelty.mean"][0]
    assert held(3 * centre) > 0
    assert held(np.where(centre < np.median(centre), 1, 0).astype(np.float32)) == 0

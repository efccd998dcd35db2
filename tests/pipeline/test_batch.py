"""A whole file through the stages."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pytest
from numpy.typing import NDArray

from semc_core.errors import RuntimeFault, SourceError, UsageError
from semc_core.model.architecture import new_spec
from semc_core.picture import Picture
from semc_core.pipeline.batch import review
from semc_core.types import Crop, FramePacket, SourceInfo, read_only
from tests.pipeline.scripted import CLASSES, ScriptedRuntime, probabilities, textured

SPEC = new_spec("semc_tiny", CLASSES)


class ListSource:
    """Gives the pictures of an iterator at 30 frames/s; waits for its reader."""

    hinted_crop: Crop | None = None

    def __init__(self, pictures: Iterator[NDArray[np.uint8]]) -> None:
        self.info = SourceInfo("list", "images", 64, 64, 30.0, None, False)
        self.closed = threading.Event()
        self.read_so_far = 0
        self._pictures = pictures

    def read(self) -> FramePacket | None:
        pixels = next(self._pictures, None)
        if pixels is None:
            return None
        index, self.read_so_far = self.read_so_far, self.read_so_far + 1
        return FramePacket("list", index, index / 30, 0.0, Picture(pixels))

    def interrupt(self) -> None:
        """Nothing blocks here."""

    def close(self) -> None:
        self.closed.set()


def moving(first: int, last: int) -> Iterator[NDArray[np.uint8]]:
    return (textured(index) for index in range(first, last))


def always_a() -> ScriptedRuntime:
    return ScriptedRuntime(SPEC, lambda _: probabilities("A", 0.95))


def test_every_frame_is_classified_once_in_batches() -> None:
    runtime, source = always_a(), ListSource(moving(0, 21))
    steps = list(review(source, runtime, batch=8))
    assert runtime.calls == [8, 8, 5]
    assert [result.packet.index for step in steps for result in step.results] == list(range(21))
    assert steps[-1].results == []
    assert [event.final for event in steps[-1].events] == [True]
    assert source.closed.is_set()


def test_nothing_is_saved_from_a_still_picture_however_sure_the_model() -> None:
    still = ListSource(iter([textured(1)] * 90))
    assert not [event for step in review(still, always_a()) for event in step.events]


def test_a_scan_that_freezes_keeps_the_plane_from_before() -> None:
    def pictures() -> Iterator[NDArray[np.uint8]]:
        yield from moving(0, 30)
        yield from [textured(29)] * 60
        yield from [read_only(np.zeros((64, 64), np.uint8))] * 30

    runtime = always_a()
    steps = list(review(ListSource(pictures()), runtime))
    results = [result for step in steps for result in step.results]
    assert [results[index].picture for index in (29, 60, 100)] == ["live", "frozen", "black"]
    assert [results[index].label for index in (29, 60, 100)] == ["A", "A", "NSP"]
    (final,) = [event for step in steps for event in step.events if event.final]
    assert final.best.packet.index < 30 + 19, "18 repeats pass before the picture counts as frozen"
    assert np.array_equal(final.best.packet.pixels, textured(min(29, final.best.packet.index)))
    assert runtime.asked == 30 + 18, "frozen and black frames are not given to the model"


def test_a_source_that_breaks_is_an_error_and_not_a_short_file() -> None:
    def pictures() -> Iterator[NDArray[np.uint8]]:
        yield from moving(0, 10)
        raise SourceError("scan.mp4 breaks off at 0.3 s; copy it again.")

    source = ListSource(pictures())
    with pytest.raises(SourceError, match="breaks off"):
        list(review(source, always_a()))
    assert source.closed.is_set()


def test_a_fault_of_the_model_and_an_early_end_stop_the_reader() -> None:
    def answer(index: int) -> NDArray[np.float32]:
        raise RuntimeFault("The model gave numbers that are not finite; choose another model.")

    source = ListSource(moving(0, 10_000))
    with pytest.raises(RuntimeFault):
        list(review(source, ScriptedRuntime(SPEC, answer)))
    assert source.closed.is_set()
    source = ListSource(moving(0, 10_000))
    with closing(review(source, always_a())) as steps:
        next(steps)
    assert source.closed.is_set()
    assert source.read_so_far < 100, "only a few batches are read ahead"


@pytest.mark.parametrize("crop", [Crop(64, 0, 10, 10), Crop(0, 500, 64, 64), Crop(-20, 0, 10, 10)])
def test_a_region_outside_the_picture_is_refused(crop: Crop) -> None:
    source = ListSource(moving(0, 30))
    with pytest.raises(UsageError, match="outside the picture of 64x64 pixels"):
        list(review(source, always_a(), crop=crop))
    assert source.closed.is_set()


def test_a_picture_that_becomes_too_small_for_the_region_is_taken_whole() -> None:
    pictures = (textured(index, 64 if index < 8 else 32) for index in range(16))
    steps = list(review(ListSource(pictures), always_a(), crop=Crop(40, 40, 30, 30)))
    crops = [result.crop for step in steps for result in step.results]
    assert crops == [Crop(40, 40, 24, 24)] * 8 + [Crop(0, 0, 32, 32)] * 8


def test_a_batch_of_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="batch"):
        list(review(ListSource(moving(0, 1)), always_a(), batch=0))

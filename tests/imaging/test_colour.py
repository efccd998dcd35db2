"""Colour Doppler is known from a tint, calipers and words, and no plane is saved from it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from semc_core.imaging.colour import coloured_share, is_coloured
from semc_core.model.architecture import new_spec
from semc_core.phantom.scan import SimulatedScan
from semc_core.picture import Picture
from semc_core.pipeline.stages import PreparationStage
from semc_core.pipeline.stills import Still, answers
from semc_core.runtime.load import load_runtime
from semc_core.sources.frames.decoded import picture_of
from semc_core.types import Crop, FramePacket
from training.region.colour_alarms import TINTS, marked, tinted, with_flow

HEIGHT, WIDTH = 480, 640
WHOLE = Crop(0, 0, WIDTH, HEIGHT)


@pytest.fixture(scope="module")
def plane() -> NDArray[np.uint8]:
    gray = SimulatedScan(seed=3, seconds=1, width=WIDTH, height=HEIGHT).frame(5)
    return np.repeat(gray[..., None], 3, axis=2) if gray.ndim == 2 else gray


@pytest.mark.parametrize("power", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_flow_in_a_colour_box_is_colour(plane: NDArray[np.uint8], seed: int, power: bool) -> None:
    pixels = with_flow(np.random.default_rng(seed), plane, WHOLE, power)
    assert is_coloured(Picture(pixels), WHOLE)


@pytest.mark.parametrize("tint", TINTS)
def test_a_tinted_picture_with_coloured_calipers_and_words_is_none(
    plane: NDArray[np.uint8], tint: tuple[float, float, float]
) -> None:
    assert not is_coloured(Picture(tinted(plane, tint)), WHOLE)
    assert not is_coloured(Picture(marked(np.random.default_rng(5), plane)), WHOLE)
    assert not is_coloured(Picture(plane[..., 0]), WHOLE)


def test_colour_beside_the_sector_is_none(plane: NDArray[np.uint8]) -> None:
    pixels = plane.copy()
    pixels[20:200, 10:60] = 220, 20, 20
    sector = ((100, 0), (WIDTH, 0), (WIDTH, HEIGHT), (100, HEIGHT))
    assert is_coloured(Picture(pixels), WHOLE)
    assert not is_coloured(Picture(pixels), WHOLE, sector)


@pytest.mark.parametrize("form", ["yuv420p", "yuv444p", "rgb24"])
def test_a_frame_of_video_is_judged_by_its_planes(plane: NDArray[np.uint8], form: str) -> None:
    av = pytest.importorskip("av")
    pixels = with_flow(np.random.default_rng(1), plane, WHOLE)
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format=form)
    share = coloured_share(Picture(pixels), WHOLE)
    assert coloured_share(picture_of(frame), WHOLE) == pytest.approx(share, rel=0.25)


def test_real_power_doppler_is_colour_and_a_coloured_screen_without_is_not() -> None:
    from pydicom import examples
    from pydicom.pixels import apply_color_lut

    power = np.ascontiguousarray(examples.rgb_color.pixel_array)
    assert is_coloured(Picture(power), Crop(0, 0, power.shape[1], power.shape[0]))
    data = examples.palette_color
    screen = np.ascontiguousarray(apply_color_lut(data.pixel_array, data) >> 8, dtype=np.uint8)
    assert np.ptp(screen.astype(int), axis=2).max() > 60  # there is colour on it
    assert not is_coloured(Picture(screen), Crop(0, 0, screen.shape[1], screen.shape[0]))


def test_no_frame_with_colour_over_it_reaches_the_model(plane: NDArray[np.uint8]) -> None:
    spec = new_spec("semc_tiny", ("NSP", "FHP1"))
    stage = PreparationStage(spec.preprocessing)
    packet = FramePacket("test", 0, 0.0, 0.0, Picture(plane))
    assert stage.look(packet).picture == "live"
    flow = with_flow(np.random.default_rng(2), np.ascontiguousarray(plane[:, ::-1]), WHOLE)
    seen = stage.look(replace(packet, index=1, pts_s=0.1, picture=Picture(flow)))
    assert (seen.picture, seen.inputs) == ("colour", None)


def test_a_still_with_colour_over_it_is_none_and_says_why(
    plane: NDArray[np.uint8], tiny_model_path: Path
) -> None:
    with closing(load_runtime(tiny_model_path, "cpu")) as runtime:
        flow = Picture(with_flow(np.random.default_rng(2), plane, WHOLE))
        packet = FramePacket("flow.png", 0, 0.0, 0.0, flow)
        (answer,) = answers(iter([Still(packet, WHOLE)]), runtime)
    assert (answer.named, answer.plane, answer.why) == (False, "", "colour Doppler")

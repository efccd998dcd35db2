"""Folders of images: a loop, or stills that have nothing to do with each other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from semc_core.labels import NON_STANDARD
from semc_core.model.file import read_model, write_model
from semc_core.phantom.scan import SimulatedScan
from semc_core.pipeline.batch import review
from semc_core.runtime.load import load_runtime
from semc_core.session.analyse import analyse_source
from semc_core.session.replay import replay_log, replay_pictures
from semc_core.session.session import Session
from semc_core.sources.open import Images, open_seekable, open_source
from semc_core.types import Thresholds
from tests.sources.capture_clips import numbered, write_images


@pytest.fixture(scope="module")
def easy_model(tiny_model_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The untrained model, which finds something in most pictures, if they do not wait for it."""
    spec, tensors = read_model(tiny_model_path)
    path = tmp_path_factory.mktemp("easy") / "model.safetensors"
    write_model(path, replace(spec, thresholds=Thresholds(enter=0.162, leave=0.05, min_hold_s=5)), tensors)
    return path


@pytest.fixture
def stills(tmp_path: Path) -> Path:
    """One picture each of several simulated patients, the first one's twice."""
    folder = tmp_path / "stills"
    folder.mkdir()
    for seed, name in enumerate(("anna", "berta", "carla", "dora", "emma", "frieda")):
        patient = seed % 5
        scan = SimulatedScan(seed=patient, seconds=9, width=160 + 40 * (patient % 2), height=120)
        assert cv2.imwrite(str(folder / f"{name}.png"), scan.frame(10 + 40 * patient))
    return folder


@pytest.mark.parametrize(
    ("names", "same_size", "stills", "why"),
    [
        (("img1", "img2", "img3"), True, False, ""),
        (("a_0098", "a_0099", "a_0100"), True, False, ""),
        (("2_8 b", "2_9 b", "2_10 b"), True, False, ""),
        (("img1", "img2", "img4"), True, True, "their names do not count up by one"),
        (("img1", "img3", "img5"), True, True, "their names do not count up by one"),
        (("img1", "img2", "other3"), True, True, "their names do not count up by one"),
        (("1_1", "2_2", "3_3"), True, True, "their names do not count up by one"),
        (("anna", "berta", "carla"), True, True, "their names do not count up by one"),
        (("img1", "img2", "img3"), False, True, "they differ in size"),
    ],
)
def test_a_loop_has_one_size_and_names_that_count_up_by_one(
    names: tuple[str, ...], same_size: bool, stills: bool, why: str, tmp_path: Path
) -> None:
    for number, name in enumerate(names):
        picture = numbered(number)
        cut = picture if same_size or number else picture[:50]
        assert cv2.imwrite(str(tmp_path / f"{name}.png"), cut)
    source = open_source(str(tmp_path))
    assert source.info.stills == stills
    assert why in source.info.notice
    assert ("each judged by itself" in source.info.notice) == stills
    source.close()


def test_one_picture_is_a_still(tmp_path: Path) -> None:
    write_images(tmp_path, 1)
    for place in (tmp_path, tmp_path / "img1.png"):
        source = open_source(str(place))
        assert source.info.stills
        assert source.info.notice == ""
        source.close()


@pytest.mark.parametrize(("images", "stills"), [("stills", True), ("loop", False)])
def test_who_knows_better_can_say_so(images: Images, stills: bool, tmp_path: Path) -> None:
    write_images(tmp_path, 3)
    source = open_source(str(tmp_path), images=images)
    assert source.info.stills == stills
    source.close()
    rate = source.info.frame_rate
    again = open_seekable(tmp_path, rate)
    assert again.info.stills == stills, "the rate that a session keeps says it again"
    again.close()


def test_nothing_of_a_still_is_in_the_answer_to_the_next(stills: Path, easy_model: Path) -> None:
    runtime = load_runtime(easy_model, "cpu", 1)
    try:
        together = [one for batch in review(open_source(str(stills)), runtime) for one in batch.results]
        assert len(together) == 6
        for path, shown in zip(sorted(stills.iterdir()), together, strict=True):
            (alone,) = (one for batch in review(open_source(str(path)), runtime) for one in batch.results)
            assert (shown.label, shown.picture, shown.crop) == (alone.label, alone.picture, alone.crop)
            assert alone.prediction is not None
            np.testing.assert_allclose(shown.smoothed, alone.prediction.probabilities, atol=1e-5)
    finally:
        runtime.close()
    labels = [one.label for one in together]
    assert labels[0] == labels[-1], "the same picture under another name"


def test_of_stills_every_picture_that_reaches_the_level_is_a_plane_and_no_other(
    stills: Path, easy_model: Path, tmp_path: Path
) -> None:
    runtime = load_runtime(easy_model, "cpu", 1)
    try:
        with analyse_source(open_source(str(stills)), tmp_path / "s", runtime, path=stills) as session:
            folder = session.folder
        with Session.open(folder, read_only=True) as session:
            planes, table = session.planes(), session.frames()
            none = session.model.classes.index(NON_STANDARD)
            sure = np.delete(table.probabilities, none, axis=1).max(axis=1) >= 0.162
            assert sure.sum() > 0
            assert [plane.frame_index for plane in planes] == table.index[sure].tolist()
            assert replay_log(session).identical
            with_pictures = replay_pictures(session, open_source(str(stills)), runtime)
            assert with_pictures.replay.identical
    finally:
        runtime.close()


def test_of_the_same_pictures_as_a_loop_none_is_held_long_enough(stills: Path, easy_model: Path) -> None:
    runtime = load_runtime(easy_model, "cpu", 1)
    try:
        loop = open_source(str(stills), images="loop")
        assert not [event for batch in review(loop, runtime) for event in batch.events]
    finally:
        runtime.close()

"""Splits, rendered sets and draws."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from semc_core.errors import UsageError
from semc_core.imaging.preprocess import Preprocessing
from semc_core.labels import LIVER_CLASSES, NON_STANDARD
from training.data.frame_set import (
    FrameSet,
    draw_weights,
    patient_row,
    read_shard,
    shard_path,
    write_shard,
)
from training.data.loading import load_frames
from training.data.negatives import DESTROYERS, ECHOES, SCREENS, make_negative
from training.data.readers import open_data
from training.data.splits import Split, parse_patients, split_of
from training.data.synthetic import RenderOptions, render_patients
from training.transforms.augment import Augmenter, to_side


def shard(folder: Path, patient: int, named: int | None = None, size: int = 16) -> None:
    """A patient of eight frames: four planes, and NSP near, far, between, and negative."""
    owner = patient if named is None else named
    rows = [patient_row(owner, i, LIVER_CLASSES[i], 0.2, "scan") for i in range(4)]
    rows += [patient_row(owner, 9, NON_STANDARD, distance, "scan") for distance in (2.0, 5.0, 1.1)]
    rows.append(patient_row(owner, -1, NON_STANDARD, float("inf"), "negative:text"))
    write_shard(folder, patient, np.full((8, size, size), patient % 256, np.uint8), rows)


def test_split_follows_from_the_number() -> None:
    assert [split_of(n) for n in (0, 999, 1000, 1999, 2000, 50_000)] == [
        Split.TRAIN,
        Split.TRAIN,
        Split.VALIDATION,
        Split.VALIDATION,
        Split.TEST,
        Split.TEST,
    ]
    with pytest.raises(UsageError):
        split_of(-1)


@pytest.mark.parametrize("text", ["", "x", "5:5", "9:3", "1:2:3", "-3:4"])
def test_patients_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_patients(text)


def frames_of(folder: Path, split: Split) -> FrameSet:
    """As a training reads them."""
    return load_frames(open_data(folder), split.value, Preprocessing(16, 16))


def test_a_set_is_read_by_split(tmp_path: Path) -> None:
    for patient in (3, 7, 1005, 2001):
        shard(tmp_path, patient)
    assert frames_of(tmp_path, Split.TRAIN).groups == ["00003", "00007"]
    validation = frames_of(tmp_path, Split.VALIDATION)
    assert validation.groups == ["01005"]
    assert validation.frames.shape == (8, 16, 16)
    assert validation.labels[:4].tolist() == [0, 1, 2, 3]
    assert bool((validation.frames == 1005 % 256).all())


def test_a_patient_in_the_file_of_another_split_stays_in_his_own(tmp_path: Path) -> None:
    shard(tmp_path, 3)
    shard(tmp_path, 4, named=2001)
    assert frames_of(tmp_path, Split.TRAIN).groups == ["00003"]
    assert frames_of(tmp_path, Split.TEST).groups == ["02001"]


def test_what_cannot_be_used_says_why(tmp_path: Path) -> None:
    shard(tmp_path, 1)
    with pytest.raises(UsageError, match="no test pictures"):
        frames_of(tmp_path, Split.TEST)
    shard_path(tmp_path, 1).with_suffix(".npy").write_bytes(b"no array")
    with pytest.raises(UsageError, match="render this patient again"):
        frames_of(tmp_path, Split.TRAIN)


def test_draws_are_balanced(tmp_path: Path) -> None:
    shard(tmp_path, 1)
    data = frames_of(tmp_path, Split.TRAIN)
    weights = draw_weights(data, non_standard_share=0.45, ambiguous_weight=0.0)
    assert weights.sum().item() == pytest.approx(1)
    assert weights[:4].tolist() == pytest.approx([0.55 / 4] * 4)
    assert weights[4:].tolist() == pytest.approx([0.45 * 0.45, 0.45 * 0.2, 0.0, 0.45 * 0.35])
    some = draw_weights(data, non_standard_share=0.45, ambiguous_weight=0.25)
    assert (some[6] / some[4]).item() == pytest.approx(0.25)


def test_negatives_are_pictures_of_at_least_twenty_kinds() -> None:
    assert len({*SCREENS, *ECHOES, *DESTROYERS}) >= 20
    frame = np.random.default_rng(1).integers(0, 256, (120, 160), dtype=np.uint8)
    kept = frame.copy()
    for seed in range(25):
        kind, picture = make_negative(np.random.default_rng(seed), frame)
        assert picture.dtype == np.uint8, kind
        assert picture.ndim == 2, kind
        assert np.array_equal(picture, make_negative(np.random.default_rng(seed), frame)[1]), kind
    assert np.array_equal(frame, kept)


def test_rendering_goes_on_where_it_stopped(tmp_path: Path) -> None:
    options = RenderOptions(frames=24, size=64)
    assert list(render_patients(tmp_path, [5], options, processes=1)) == [5]
    assert list(render_patients(tmp_path, [5], options, processes=1)) == []
    frames, rows = read_shard(shard_path(tmp_path, 5))
    assert frames.shape == (24, 64, 64)
    assert {row.group for row in rows} == {"00005"}
    assert sum(row.kind.startswith("negative:") for row in rows) == 6
    assert {row.plane for row in rows if row.distance <= 1} <= set(LIVER_CLASSES[:-1])
    assert all(row.plane == NON_STANDARD for row in rows if row.distance > 1)


def test_augmentation_repeats_and_keeps_its_range() -> None:
    frames = torch.randint(0, 256, (9, 48, 48), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    first = Augmenter(torch.Generator().manual_seed(4))(frames, 32)
    second = Augmenter(torch.Generator().manual_seed(4))(frames, 32)
    assert first.shape == (9, 1, 32, 32)
    assert torch.equal(first, second)
    assert 0 <= float(first.min()) <= float(first.max()) <= 1
    assert not torch.equal(first, to_side(frames, 32))

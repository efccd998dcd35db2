"""The upper stages learn from labels coarse and fine; the lower ones and the running statistics stay."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from semc_core.errors import UsageError
from semc_core.imaging.preprocess import normalised, placed, whole
from semc_core.labels import FETAL_CLASSES
from semc_core.model.architecture import SONONET16
from semc_core.model.file import Arrays
from semc_core.model.sononet import SonoNet
from semc_core.model.weights import network_arrays
from training.fetal.labels import CLASSES, label_log_likelihood
from training.fetal.runs import EVERYTHING, split_of
from training.fetal.taught import is_taught, read_taught, teach_run
from training.fetal.teach import Teaching, answers, as_batch, between, teach
from training.fetal.versions import Prepared, Row

SMALL = Teaching(pictures=24, batch=4)
"""Six steps."""


@pytest.fixture(scope="module")
def published() -> Arrays:
    """A SonoNet-16 with weights that were drawn."""
    torch.manual_seed(5)
    return network_arrays(SonoNet(SONONET16.architecture, len(FETAL_CLASSES)).eval())


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    """Small bright and dark pictures in three versions each."""
    rng = np.random.default_rng(3)
    labels = ["brain", "femur", "other", "NSP"] * 3
    rows = [
        Row(label, "liver", "" if label == "NSP" else ("Ghana", "Spain")[n % 2], f"{label} {n}", f"{n}.png")
        for n, label in enumerate(labels)
    ]
    inputs = rng.integers(0, 255, (len(rows), 3, 32, 48), np.uint8)
    inputs[::4, :, :16] = 255
    return Prepared(inputs, rows)


def told_nothing(done: int, total: int) -> None:
    """Nobody watches."""


@pytest.fixture(scope="module")
def taught(prepared: Prepared, published: Arrays) -> SonoNet:
    return teach(prepared, np.ones(len(prepared.rows), bool), published, 1, told_nothing, SMALL)


def test_lower_stages_and_statistics_stay_and_the_upper_ones_learn(
    taught: SonoNet, published: Arrays
) -> None:
    after = network_arrays(taught)
    same = {name for name, each in published.items() if np.array_equal(after[name], each)}
    changed = set(published) - same
    lower = {name for name in published if name.startswith(("features.0.", "features.1."))}
    assert lower <= same
    assert not [name for name in changed if "running" in name and not name.startswith("adaption.4")]
    for stage in ("features.2.", "features.3.", "features.4.", "adaption.0."):
        assert any(name.startswith(stage) for name in changed), stage


def test_the_same_seed_teaches_the_same(taught: SonoNet, prepared: Prepared, published: Arrays) -> None:
    again = teach(prepared, np.ones(len(prepared.rows), bool), published, 1, told_nothing, SMALL)
    other = teach(prepared, np.ones(len(prepared.rows), bool), published, 2, told_nothing, SMALL)
    first, second, third = (network_arrays(each) for each in (taught, again, other))
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert not all(np.array_equal(first[name], third[name]) for name in first)


def test_the_end_lies_between_what_was_taught_and_what_was_published() -> None:
    start = {"a": np.array([0.0, 4.0], np.float32), "count": np.array(3)}
    end = {"a": np.array([1.0, 0.0], np.float32), "count": np.array(5)}
    found = between(start, end, 0.75)
    np.testing.assert_array_equal(found["a"], np.array([0.75, 1.0], np.float32))
    assert found["a"].dtype == np.float32
    assert int(found["count"]) == 5


def test_what_is_learned_from_becomes_more_probable(prepared: Prepared, published: Arrays) -> None:
    places = np.flatnonzero([row.label == "brain" for row in prepared.rows])
    kept = np.ones(len(prepared.rows), bool)
    longer = Teaching(pictures=240, batch=8, head_rate=0.1, average=0.5)
    still = Teaching(pictures=8, batch=8, rate=0.0, head_rate=0.0)
    before = teach(prepared, kept, published, 1, told_nothing, still)
    after = teach(prepared, kept, published, 1, told_nothing, longer)
    label = torch.zeros(len(places), dtype=torch.int64)  # the first of LABELS is "brain"
    first, second = (
        float(label_log_likelihood(answers(network, prepared.inputs, places), label).mean())
        for network in (before, after)
    )
    assert second > first + 0.2


def test_pictures_are_normalised_as_the_program_does_it() -> None:
    gray = np.random.default_rng(1).integers(0, 255, (200, 300), np.uint8)
    shown = placed(gray, whole(gray), SONONET16.preprocessing)
    own = normalised(shown, SONONET16.preprocessing)
    np.testing.assert_allclose(as_batch(shown[None]).numpy()[0], own, rtol=1e-5, atol=1e-3)
    assert not as_batch(np.full((1, 8, 8), 7, np.uint8)).any(), "one colour is nothing"


def test_a_run_is_kept_with_what_it_says_of_what_it_left_out(
    prepared: Prepared, published: Arrays, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="Ghana was not taught"):
        read_taught(tmp_path, "Ghana")
    teach_run(tmp_path, "Ghana", prepared, published, told_nothing, SMALL)
    assert is_taught(tmp_path, "Ghana")
    assert not is_taught(tmp_path, EVERYTHING)
    found = read_taught(tmp_path, "Ghana")
    assert found.places.tolist() == np.flatnonzero(split_of("Ghana", prepared.rows).test).tolist()
    assert found.logits.shape == (len(found.places), len(CLASSES))
    assert set(found.network) == set(published)

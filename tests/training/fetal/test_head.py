"""The last layer is fitted to labels of different fineness, and is the same in the file's form."""

from __future__ import annotations

import numpy as np
import torch

from semc_core.labels import FETAL_CLASSES
from semc_core.model.architecture import SONONET16
from semc_core.model.sononet import SonoNet
from training.fetal.head import Head, fit_head, published_head, weights_of
from training.fetal.labels import BRAIN, CLASSES
from training.fetal.publish import with_head
from training.fetal.versions import ITSELF, Version

TRUE = {"brain": BRAIN[0], "abdomen": "Abdominal", "thorax": "4CH", "femur": "Femur", "NSP": "NSP"}

NOTHING = Head(np.zeros((len(CLASSES), 8), np.float32), np.zeros(len(CLASSES), np.float32))


def made_up(count: int = 40) -> tuple[np.ndarray, np.ndarray, list[Version]]:
    """Features with a direction for each label, SonoNet's answers without meaning, and rows."""
    rng = np.random.default_rng(4)
    rows, seen = [], []
    for place, label in enumerate(TRUE):
        for number in range(count):
            country = "" if label == "NSP" else ("Ghana", "Spain")[number % 2]
            rows.append(Version(ITSELF, label, "liver", country, f"{label} {number}", "a.png"))
            seen.append(3 * np.eye(8)[place] + rng.normal(0, 0.5, 8))
    answers = np.zeros((len(rows), len(FETAL_CLASSES)), np.float32)
    return np.array(seen, np.float32), answers, rows


def test_each_label_is_named_and_a_coarse_one_shares_its_probability() -> None:
    seen, answers, rows = made_up()
    probabilities = torch.softmax(fit_head(seen, answers, rows, NOTHING).logits(seen), dim=1).numpy()
    for row, each in zip(rows, probabilities, strict=True):
        brain = each[: len(BRAIN)]
        if row.label == "brain":
            assert brain.sum() > each[len(BRAIN) :].max()
            np.testing.assert_allclose(brain, brain.mean(), rtol=1e-3)
        else:
            assert CLASSES[int(each.argmax())] == TRUE[row.label]


def test_the_same_data_give_the_same_layer() -> None:
    data = made_up()
    first, second = fit_head(*data, NOTHING), fit_head(*data, NOTHING)
    np.testing.assert_array_equal(first.weight, second.weight)


def test_what_other_leaves_open_stays_as_the_published_network_says_it() -> None:
    seen, answers, rows = made_up()
    rng = np.random.default_rng(1)
    lips = np.array([[*(5 * np.eye(8)[6] + rng.normal(0, 0.3, 8))] for _ in range(20)], np.float32)
    said = np.zeros((20, len(FETAL_CLASSES)), np.float32)
    said[:, FETAL_CLASSES.index("Lips")] = 8
    rows += [Version(ITSELF, "other", "Spain", "Spain", f"lips {n}", "a.png") for n in range(20)]
    head = fit_head(np.concatenate([seen, lips]), np.concatenate([answers, said]), rows, NOTHING)
    assert {CLASSES[int(place)] for place in head.logits(lips).argmax(dim=1)} == {"Lips"}


def test_a_label_weighs_as_stated_however_many_pictures_it_has() -> None:
    few = [Version(ITSELF, "femur", "a", "Ghana", str(n), "a.png") for n in range(4)]
    many = [Version(ITSELF, "femur", "b", "Spain", str(n), "a.png") for n in range(16)]
    heads = [Version(ITSELF, "abdomen", "b", "Spain", str(n), "a.png") for n in range(3)]
    weights = weights_of([*few, *many, *heads])
    assert np.isclose(weights.sum(), 1)
    assert np.isclose(weights[20:].sum() / weights[:20].sum(), 0.17 / 0.15)
    assert np.isclose(weights[4:20].sum() / weights[:4].sum(), 2), "four times the pictures weigh double"


def test_the_layer_in_the_files_form_gives_the_same_logits() -> None:
    rng = np.random.default_rng(2)
    network = SonoNet(SONONET16.architecture, len(CLASSES)).eval()
    state = network.state_dict()
    width = state["adaption.3.weight"].shape[1]
    head = Head(
        rng.normal(0, 1, (len(CLASSES), width)).astype(np.float32),
        rng.normal(0, 1, len(CLASSES)).astype(np.float32),
    )
    network.load_state_dict(state | {name: torch.from_numpy(each) for name, each in with_head(head).items()})
    pictures = torch.from_numpy(rng.normal(0, 1, (2, 1, 64, 96)).astype(np.float32))
    with torch.no_grad():
        details = network.details(pictures)
        expected = head.logits(details.fused_pooled.numpy())
        torch.testing.assert_close(network(pictures), expected, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(details.logits, expected, rtol=1e-4, atol=1e-4)


def test_a_plane_without_pictures_is_known_as_the_published_network_knows_it() -> None:
    seen, answers, rows = made_up()
    weight = np.zeros((len(CLASSES), 8), np.float32)
    weight[CLASSES.index("Profile"), 7] = 4
    head = fit_head(seen, answers, rows, Head(weight, np.zeros(len(CLASSES), np.float32)))
    profile = np.array([4 * np.eye(8)[7]], np.float32)
    assert CLASSES[int(head.logits(profile).argmax())] == "Profile"


def test_the_published_heads_answers_are_shared_by_the_classes_that_it_does_not_tell_apart() -> None:
    network = SonoNet(SONONET16.architecture, len(FETAL_CLASSES)).eval()
    arrays = {name: each.numpy() for name, each in network.state_dict().items()}
    arrays["adaption.3.weight"] = np.random.default_rng(3).normal(size=arrays["adaption.3.weight"].shape)
    arrays["adaption.3.weight"] = arrays["adaption.3.weight"].astype(np.float32)
    head = published_head(arrays)
    seen = np.random.default_rng(4).random((5, head.weight.shape[1])).astype(np.float32)
    own = torch.softmax(head.logits(seen), dim=1).numpy()
    kernel = torch.from_numpy(arrays["adaption.3.weight"][:, :, 0, 0])
    theirs = torch.softmax(torch.from_numpy(seen) @ kernel.T / np.sqrt(1 + 1e-5) / 1.5, dim=1).numpy()
    cervix = own[:, CLASSES.index("Maternal cervix")]
    brain = own[:, 0] + own[:, 1]
    np.testing.assert_allclose(brain / (1 - cervix), theirs[:, FETAL_CLASSES.index("Brain(Tv)")], rtol=1e-4)

"""Where the last layer starts, and how much each picture weighs."""

from __future__ import annotations

import numpy as np
import torch

from semc_core.labels import FETAL_CLASSES
from semc_core.model.architecture import SONONET16
from semc_core.model.sononet import SonoNet
from training.fetal.head import Head, published_head, weights_of, with_head
from training.fetal.labels import CLASSES
from training.fetal.versions import Row


def test_a_label_weighs_as_stated_however_many_pictures_it_has() -> None:
    few = [Row("femur", "a", "Ghana", str(n), "a.png") for n in range(4)]
    many = [Row("femur", "b", "Spain", str(n), "a.png") for n in range(16)]
    heads = [Row("abdomen", "b", "Spain", str(n), "a.png") for n in range(3)]
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
        expected = torch.from_numpy(details.fused_pooled.numpy() @ head.weight.T + head.bias)
        torch.testing.assert_close(network(pictures), expected, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(details.logits, expected, rtol=1e-4, atol=1e-4)


def test_the_published_heads_answers_are_shared_by_the_classes_that_it_does_not_tell_apart() -> None:
    network = SonoNet(SONONET16.architecture, len(FETAL_CLASSES)).eval()
    arrays = {name: each.numpy() for name, each in network.state_dict().items()}
    arrays["adaption.3.weight"] = np.random.default_rng(3).normal(size=arrays["adaption.3.weight"].shape)
    arrays["adaption.3.weight"] = arrays["adaption.3.weight"].astype(np.float32)
    head = published_head(arrays)
    seen = np.random.default_rng(4).random((5, head.weight.shape[1])).astype(np.float32)
    own = torch.softmax(torch.from_numpy(seen @ head.weight.T + head.bias), dim=1).numpy()
    kernel = torch.from_numpy(arrays["adaption.3.weight"][:, :, 0, 0])
    theirs = torch.softmax(torch.from_numpy(seen) @ kernel.T / np.sqrt(1 + 1e-5) / 1.5, dim=1).numpy()
    cervix = own[:, CLASSES.index("Maternal cervix")]
    brain = own[:, 0] + own[:, 1]
    np.testing.assert_allclose(brain / (1 - cervix), theirs[:, FETAL_CLASSES.index("Brain(Tv)")], rtol=1e-4)

"""Labels of different fineness train together."""

from __future__ import annotations

import math

import pytest
import torch

from semc_core.labels import FETAL_CLASSES
from training.fetal.labels import BRAIN, CLASSES, LABELS, SONONET_SAYS, label_log_likelihood

NAMES = list(LABELS)


def _logits(**probabilities: float) -> torch.Tensor:
    rest = (1 - sum(probabilities.values())) / (len(CLASSES) - len(probabilities))
    named = {name.replace("_", "-"): value for name, value in probabilities.items()}
    return torch.tensor([[math.log(named.get(name, rest)) for name in CLASSES]])


def test_a_coarse_label_is_as_probable_as_its_classes_together() -> None:
    logits = _logits(Trans_thalamic=0.5, Trans_ventricular=0.2, Trans_cerebellum=0.1)
    brain = label_log_likelihood(logits, torch.tensor([NAMES.index("brain")]))
    assert float(brain.exp()) == pytest.approx(0.8, abs=1e-5)


def test_a_fine_label_is_as_probable_as_its_class() -> None:
    logits = _logits(Trans_thalamic=0.5, Trans_ventricular=0.2)
    fine = label_log_likelihood(logits, torch.tensor([NAMES.index("Trans-ventricular")]))
    assert float(fine.exp()) == pytest.approx(0.2, abs=1e-5)


def test_a_coarse_label_teaches_nothing_of_how_its_classes_share() -> None:
    logits = _logits(Trans_thalamic=0.5, Trans_ventricular=0.2, Trans_cerebellum=0.1).requires_grad_()
    label_log_likelihood(logits, torch.tensor([NAMES.index("brain")])).sum().backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    pushed = logits.grad[0, : len(BRAIN)]
    assert (pushed > 0).all()
    assert torch.allclose(pushed / pushed[0], torch.tensor([1.0, 0.4, 0.2]), atol=1e-4)


def test_every_class_but_the_cervix_starts_from_an_answer_of_sononet() -> None:
    assert set(CLASSES) - set(SONONET_SAYS) == {"Maternal cervix"}
    assert set(SONONET_SAYS.values()) == set(FETAL_CLASSES)


def test_other_may_be_none_and_every_plane_that_no_label_names() -> None:
    named = {
        name for label, names in LABELS.items() if label not in CLASSES and label != "other" for name in names
    }
    assert set(LABELS["other"]) == set(CLASSES) - named

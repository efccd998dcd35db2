"""The folded networks that a GPU runs, held on the CPU against the networks as they were trained."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from semc_core.errors import UsageError
from semc_core.labels import FETAL_BACKGROUND, FETAL_CLASSES, LIVER_CLASSES
from semc_core.model.architecture import SONONET16, new_spec, random_weights
from semc_core.model.spec import Architecture, ModelSpec
from semc_core.model.weights import build_network
from semc_core.runtime.torch.network import EXPERT_FORMS, Outputs, folded_network
from semc_core.runtime.torch.runtime import exact_kernels
from tests.model.forms import FORMS, TINY

pytestmark = pytest.mark.usefixtures("one_thread")


def outputs_of(spec: ModelSpec, dtype: torch.dtype, experts: str = "separate") -> tuple[Outputs, Outputs]:
    """What the folded network in `dtype` gives for four frames of noise, and what the trained one gives."""
    a, p = spec.architecture, spec.preprocessing
    arrays = random_weights(a, len(spec.classes))
    frames = np.random.default_rng(3).standard_normal((4, a.in_channels, p.height, p.width))
    x = torch.from_numpy((frames / p.std[0] * 0.2).astype(np.float32))
    with torch.inference_mode():
        ours = folded_network(spec, arrays, dtype, experts)(x)
        plain = build_network(a, len(spec.classes), arrays).details(x)
    return ours, Outputs(plain.logits, plain.expert_weights, plain.maps, plain.fused_pooled)


def with_architecture(architecture: Architecture) -> ModelSpec:
    return replace(new_spec("semc_tiny", LIVER_CLASSES), architecture=architecture)


SONONET = ModelSpec(
    SONONET16.architecture,
    FETAL_CLASSES,
    replace(SONONET16.preprocessing, height=64, width=80),
    none_class=FETAL_BACKGROUND,
)


@pytest.mark.parametrize("experts", EXPERT_FORMS)
@pytest.mark.parametrize("form", FORMS)
def test_folded_and_side_by_side_it_gives_the_same(form: str, experts: str) -> None:
    ours, reference = outputs_of(with_architecture(FORMS[form]), torch.float32, experts)
    for mine, theirs in zip(ours, reference, strict=True):
        assert mine.dtype == torch.float32
        torch.testing.assert_close(
            mine, theirs, rtol=1e-5, atol=1e-5 * float(theirs.std(correction=0)) + 1e-7
        )


def test_a_folded_sononet_gives_the_same() -> None:
    ours, reference = outputs_of(SONONET, torch.float32)
    for mine, theirs in zip(ours, reference, strict=True):
        torch.testing.assert_close(
            mine, theirs, rtol=1e-4, atol=1e-5 * float(theirs.std(correction=0)) + 1e-7
        )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("spec", [with_architecture(TINY), SONONET], ids=["semc", "sononet"])
def test_half_precision_leaves_the_head_in_float32(spec: ModelSpec, dtype: torch.dtype) -> None:
    ours, reference = outputs_of(spec, dtype)
    tolerance = 2e-2 if dtype == torch.float16 else 1e-1
    for mine in ours:
        assert mine.dtype == torch.float32
    spread = float(reference.logits.std())
    torch.testing.assert_close(ours.logits, reference.logits, rtol=0, atol=tolerance * spread)
    torch.testing.assert_close(ours.expert_weights, reference.expert_weights, rtol=0, atol=tolerance)


def test_an_unknown_form_of_the_experts_is_refused() -> None:
    with pytest.raises(UsageError, match="'stacked'"):
        outputs_of(with_architecture(TINY), torch.float32, "stacked")


def test_exact_kernels_are_set_for_the_block_alone() -> None:
    before = torch.backends.cudnn.deterministic, torch.backends.cudnn.allow_tf32
    with exact_kernels():
        assert torch.backends.cudnn.deterministic
        assert not torch.backends.cudnn.allow_tf32
    assert (torch.backends.cudnn.deterministic, torch.backends.cudnn.allow_tf32) == before

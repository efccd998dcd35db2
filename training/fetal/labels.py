"""What the fetal model tells apart, and what a label of another data set says of it.

Labels of different fineness train together: a label stands for one or several classes, and its probability is
the sum of theirs. Classes are named as SonoNet (Baumgartner et al. 2017) and FETAL_PLANES_DB (Burgos-Artizzu
et al. 2020) name them, so that the protocols know them.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from semc_core.labels import FETAL_BACKGROUND, FETAL_CLASSES, NON_STANDARD

BRAIN: Final = ("Trans-thalamic", "Trans-ventricular", "Trans-cerebellum")
_OTHERS: Final = ("3VV", "LVOT", "RVOT", "Kidneys", "Lips", "Profile", "Spine(cor)", "Spine(sag)")
CLASSES: Final = (
    *BRAIN, "Abdominal", "4CH", "Femur", "Maternal cervix", *_OTHERS, NON_STANDARD,
)  # fmt: skip
"""In the order of the outputs, K of them."""

SONONET_SAYS: Final[dict[str, str]] = {
    "Trans-thalamic": "Brain(Tv)",
    "Trans-ventricular": "Brain(Tv)",
    "Trans-cerebellum": "Brain(Cb)",
    NON_STANDARD: FETAL_BACKGROUND,
    **{name: name for name in CLASSES if name in FETAL_CLASSES},
}
"""From which of SonoNet's answers each class starts; maternal cervix from none."""

LABELS: Final[dict[str, tuple[str, ...]]] = {
    "brain": BRAIN,
    **{name: (name,) for name in CLASSES},
    "abdomen": ("Abdominal",),
    "thorax": ("4CH",),
    "femur": ("Femur",),
    "cervix": ("Maternal cervix",),
    "other": (*_OTHERS, NON_STANDARD),
}
"""Which classes each label stands for. "other" is a fetal picture that is none of the named planes."""

FOUR: Final = {"brain": BRAIN, "abdomen": ("Abdominal",), "thorax": ("4CH",), "femur": ("Femur",)}
"""The four planes that every country's pictures have, by their label there."""


def allowed() -> Tensor:
    """bool (L, K): whether a label, in the order of `LABELS`, stands for a class."""
    return torch.tensor([[name in meant for name in CLASSES] for meant in LABELS.values()])


def label_log_likelihood(logits: Tensor, labels: Tensor) -> Tensor:
    """float (B,): log of the summed probability of what each label stands for.

    Args:
        logits: float (B, K).
        labels: int64 (B,), places in `LABELS`.
    """
    meant = allowed().to(logits.device)[labels]
    log_p = torch.log_softmax(logits, dim=1)
    return log_p.masked_fill(~meant, -torch.inf).logsumexp(dim=1)

"""Names of the planes that the shipped model and the published ones know.

A model file carries its own class names. Those of LP2025 (SEMC paper, table 1) are used by the simulated scan
and the shipped model, the fetal ones by SonoNet (Baumgartner et al. 2017).
"""

from typing import Final

from semc_core.language import N_
from semc_core.text import readable

NON_STANDARD: Final = "NSP"
"""The program's word for "none of these", and the class of every model of ours that says it.

A foreign model has its own class for it (`ModelSpec.none_class`); labels say NSP all the same.
"""

LIVER_PLANES: Final = ("FHP1", "FHP2", "LLP", "RLP", "LPV-S", "HRP")
LIVER_CLASSES: Final = (*LIVER_PLANES, NON_STANDARD)

FETAL_BACKGROUND: Final = "Background"
FETAL_CLASSES: Final = (
    "3VV",
    "4CH",
    "Abdominal",
    FETAL_BACKGROUND,
    "Brain(Cb)",
    "Brain(Tv)",
    "Femur",
    "Kidneys",
    "Lips",
    "LVOT",
    "Profile",
    "RVOT",
    "Spine(cor)",
    "Spine(sag)",
)
"""Of the published SonoNet, in the order of its outputs."""

BRAIN_PLANES: Final = (
    "Trans-thalamic",
    "Trans-ventricular",
    "Trans-cerebellum",
    "Brain(Th)",
    "Brain(Tv)",
    "Brain(Cb)",
)
"""In which a fetal head is measured."""

FULL_NAMES: Final = {
    "FHP1": N_("First porta hepatis"),
    "FHP2": N_("Second porta hepatis"),
    "LLP": N_("Left lobe"),
    "RLP": N_("Right lobe"),
    "LPV-S": N_("Left portal vein, sagittal"),
    "HRP": N_("Hepatorenal"),
    NON_STANDARD: N_("No standard plane"),
    "3VV": N_("Three vessels"),
    "4CH": N_("Four chambers"),
    FETAL_BACKGROUND: N_("No standard plane"),
    "Brain(Cb)": N_("Brain, cerebellum"),
    "Brain(Tv)": N_("Brain, ventricles"),
    "LVOT": N_("Left ventricular outflow tract"),
    "RVOT": N_("Right ventricular outflow tract"),
    "Spine(cor)": N_("Spine, coronal"),
    "Spine(sag)": N_("Spine, sagittal"),
}


def short_name(label: str) -> str:
    """What the window and the report call it: the label itself, but for "none of these"; in English."""
    return N_("No plane") if label == NON_STANDARD else readable(label)


def full_name(label: str) -> str:
    """The name in words, in English, or the label itself where we know no words for it."""
    return FULL_NAMES.get(label) or readable(label)

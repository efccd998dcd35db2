"""Names of the planes that the shipped model knows.

A model file carries its own class names; these are the ones of LP2025 (SEMC paper, table 1), which the
simulated scan and the shipped model use.
"""

from typing import Final

NON_STANDARD: Final = "NSP"
"""The class that says "none of these". Every model of ours has it."""

LIVER_PLANES: Final = ("FHP1", "FHP2", "LLP", "RLP", "LPV-S", "HRP")
LIVER_CLASSES: Final = (*LIVER_PLANES, NON_STANDARD)

FULL_NAMES: Final = {
    "FHP1": "First porta hepatis",
    "FHP2": "Second porta hepatis",
    "LLP": "Left lobe",
    "RLP": "Right lobe",
    "LPV-S": "Left portal vein, sagittal",
    "HRP": "Hepatorenal",
    NON_STANDARD: "No standard plane",
}


def full_name(label: str) -> str:
    """The name in words, or the label itself where we know no words for it."""
    return FULL_NAMES.get(label, label)

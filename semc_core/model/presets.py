"""What is chosen by name or size, for who only names it; `architecture` says what the presets are."""

from __future__ import annotations

from typing import Final

PRESET_NAMES: Final = ("semc_live", "semc_r18", "semc_r50", "semc_r50_paper", "semc_small", "semc_tiny")

MIXTURE: Final = "mixture"
TOP1: Final = "top1"
ROUTINGS: Final = (MIXTURE, TOP1)
"""How a frame comes to the experts; see `Architecture.routing`."""

INPUT_SIDES: Final = range(32, 2049)
"""Rows or columns that a network's input may have."""

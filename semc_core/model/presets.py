"""The names of the network's presets, for who only names them; `architecture` says what they are."""

from __future__ import annotations

from typing import Final

PRESET_NAMES: Final = ("semc_live", "semc_r18", "semc_r50", "semc_r50_paper", "semc_small", "semc_tiny")

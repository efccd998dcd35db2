"""How frames of a recording are kept: what can be chosen, without what encodes it."""

from __future__ import annotations

from enum import StrEnum


class Quality(StrEnum):
    """How frames are kept."""

    COMPACT = "compact"
    """JPEG, gray where the frames are gray: close to the original, half of its lossless size."""

    LOSSLESS = "lossless"
    """FFV1: every pixel as it was."""

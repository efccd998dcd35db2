"""The heat map of what is shown: in which style, and made once for each result. No Qt here."""

from __future__ import annotations

from typing import Final

from semc_core.imaging.heatmap import HeatMap, HeatStyle, heat_map
from semc_core.imaging.preprocess import Preprocessing
from semc_core.labels import NON_STANDARD
from semc_core.types import FrameResult

STYLES: Final = (None, HeatStyle.TINT, HeatStyle.CONTOUR)
"""What the key goes through; None shows no heat map."""


def next_style(style: HeatStyle | None) -> HeatStyle | None:
    """What the key shows after this."""
    return STYLES[(STYLES.index(style) + 1) % len(STYLES)]


class HeatMaps:
    """Of one page.

    Attributes:
        style: How they are drawn; None draws none.
    """

    def __init__(self) -> None:
        self.style: HeatStyle | None = None
        self._made: tuple[FrameResult, HeatStyle, HeatMap] | None = None

    @property
    def on(self) -> bool:
        """Whether they are drawn at all."""
        return self.style is not None

    def of(
        self, result: FrameResult | None, classes: tuple[str, ...], preprocessing: Preprocessing
    ) -> HeatMap | None:
        """That of the plane named in a result; None where none is named, or none is to be drawn.

        Args:
            result: Of the very frame that it will be laid over.
            classes: The model's.
            preprocessing: The model's.
        """
        style = self.style
        if style is None or result is None or result.prediction is None or result.label == NON_STANDARD:
            return None
        made = self._made
        if made is None or made[0] is not result or made[1] is not style:
            number = classes.index(result.label)
            heat = heat_map(result.prediction, number, result.crop, preprocessing, style, result.outline)
            made = self._made = (result, style, heat)
        return made[2]

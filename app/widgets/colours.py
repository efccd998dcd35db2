"""The colours of each theme, by what they are for. No Qt here.

Text keeps a contrast of at least 4.5 to 1 against every ground that it stands on (WCAG AA), in the theme of
high contrast 7 to 1 (AAA); what is only drawn keeps 3 to 1. `contrast` measures it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Colours:
    """One theme, each colour "#rrggbb".

    Attributes:
        ground: Of the window; and text on `accent`, `good` and `warning`.
        panel: Of cards and dialogs.
        raised: Of buttons and fields.
        border: Round them; no text.
        handle: Of a scroll bar: 3 to 1 against every ground that it lies on.
        text: What is read.
        dim: What is read second, or cannot be pressed.
        accent: What is chosen, focused or linked.
        good: What is found, or went well.
        warning: What to look at.
        fault: What went wrong.
        fault_ground: Of a banner that tells of a fault.
        notice_ground: Of one that tells of something else.
        planes: Told apart with any kind of colour vision, after Okabe and Ito.
        icons: What the names of the icons end with that are drawn for it.
    """

    ground: str
    panel: str
    raised: str
    border: str
    handle: str
    text: str
    dim: str
    accent: str
    good: str
    warning: str
    fault: str
    fault_ground: str
    notice_ground: str
    planes: tuple[str, ...]
    icons: str = ""


DARK: Final = Colours(
    ground="#0d1117", panel="#161b22", raised="#232a33", border="#3a434e", handle="#6a7684",
    text="#f2f5f8", dim="#a9b4c0", accent="#6cb6ff", good="#4cc38a", warning="#f0c24b", fault="#ff8a80",
    fault_ground="#3b1418", notice_ground="#332a0d",
    planes=("#f5a623", "#56b4e9", "#2fc48d", "#f0e442", "#f2702b", "#d78fbf"),
)  # fmt: skip
"""For a dark room."""

LIGHT: Final = Colours(
    ground="#ffffff", panel="#f4f6f9", raised="#e4e9ef", border="#98a3b0", handle="#66717d",
    text="#10151b", dim="#45505c", accent="#0a57a5", good="#0c6239", warning="#905d0c", fault="#8d000b",
    fault_ground="#fde3e1", notice_ground="#fff2cc",
    planes=("#8f5a00", "#0a67a0", "#207150", "#404800", "#b90032", "#96396f"),
    icons="-light",
)  # fmt: skip
"""For a bright room."""

HIGH_CONTRAST: Final = Colours(
    ground="#000000", panel="#000000", raised="#1c1c1c", border="#ffffff", handle="#ffffff",
    text="#ffffff", dim="#e0e0e0", accent="#7cd4ff", good="#66ff9f", warning="#ffe14d", fault="#ffaaa3",
    fault_ground="#400a0a", notice_ground="#332a00",
    planes=("#ffb84d", "#7cd4ff", "#4dffb8", "#fff04d", "#ff9a66", "#f5b3dd"),
)  # fmt: skip
"""For those who see little."""

THEMES: Final = {"dark": DARK, "light": LIGHT, "contrast": HIGH_CONTRAST}
"""By the names under which the settings remember them; the first is that at first."""

ON_PICTURE: Final = DARK
"""What lies over a picture, or beside it on black, looks the same in every theme: so do the pictures."""


def contrast(first: str, second: str) -> float:
    """WCAG contrast ratio of two colours "#rrggbb", 1-21."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue

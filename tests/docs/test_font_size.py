"""What docs/design.md says of the Chinese font is what the file is."""

from __future__ import annotations

from pathlib import Path

from fontTools.ttLib import TTFont

from semc_core.paths import CHINESE_FONT

DESIGN = Path(__file__).parents[2] / "docs" / "design.md"
CHINESE = range(0x4E00, 0xA000)


def test_size_and_characters_are_those_of_the_file() -> None:
    text = DESIGN.read_text(encoding="utf-8")
    size = f"{CHINESE_FONT.stat().st_size:,}".replace(",", " ")
    known = TTFont(CHINESE_FONT).getBestCmap()
    assert f"{size} bytes" in text
    assert f"{len(known)} characters" in text
    assert f"{sum(code in CHINESE for code in known)} of them Chinese" in text

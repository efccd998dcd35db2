"""The font for Chinese: `python -m tests.languages.font NotoSansCJK-Regular.ttc` makes it anew.

It holds the 3,755 characters of the first level of GB 2312, which are nearly all that names and notes are
written with, and what the catalogue needs besides. `NotoSansCJK-Regular.ttc` is that of the Noto project.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from fontTools.subset import Options, Subsetter, load_font, save_font

from semc_core.language import CATALOGUES
from semc_core.paths import CHINESE_FONT

NAME: Final = "Noto Sans SC Common"
_SIMPLIFIED: Final = 2
"""Which font of the collection."""


def characters() -> set[str]:
    """What the font holds; letters come from the font of the desktop."""
    rows = bytes(range(0xB0, 0xD8))
    codes = (bytes((row, cell)) for row in rows for cell in range(0xA1, 0xFF))
    first_level = {code.decode("gb2312", "ignore") for code in codes} - {""}
    catalogue = {each for each in (CATALOGUES / "zh.po").read_text(encoding="utf-8") if ord(each) > 0x2000}
    forms = {chr(code) for code in (*range(0x3000, 0x3020), *range(0xFF01, 0xFF5F))}
    return first_level | catalogue | forms


def main(collection: Path) -> None:
    """Write `CHINESE_FONT`."""
    options = Options(layout_features=[], hinting=False, desubroutinize=True, font_number=_SIMPLIFIED)
    font = load_font(str(collection), options)
    subsetter = Subsetter(options)
    subsetter.populate(text="".join(sorted(characters())))
    subsetter.subset(font)
    for record in font["name"].names:
        if record.nameID in (1, 4, 16):
            record.string = NAME
        elif record.nameID in (3, 6):
            record.string = NAME.replace(" ", "")
    font["CFF "].cff.fontNames = [NAME.replace(" ", "")]
    save_font(font, str(CHINESE_FONT), options)
    print(f"{CHINESE_FONT.name}: {CHINESE_FONT.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
